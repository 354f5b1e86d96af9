"""Writes what follows from catalogue.yaml, the rules and the runbooks: `generate.py [--check]`."""

import argparse
import sys
from pathlib import Path

from llmvitals_collector.catalogue import catalogue, documentation, recording, rule_files

FOLDER = Path(__file__).parent


def generated() -> dict[Path, str]:
    """The text of every generated file."""
    read = catalogue.read(FOLDER / catalogue.FILE_NAME, {})
    alerts = rule_files.alerts(rule_files.shipped())

    def runbook(alert: str) -> str:
        file = FOLDER / "runbooks" / f"{alert}.md"
        return file.read_text("utf-8") if file.exists() else ""

    return {
        FOLDER / recording.FILE_NAME: recording.rules(read),
        FOLDER / "ALERTS.md": documentation.alerts_page(read, alerts, runbook),
    }


def main() -> int:
    """Write the files, or with --check only say which of them are not what would be written (exit code 1)."""
    parser = argparse.ArgumentParser(description="Write what follows from the catalogue, the rules and the runbooks.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 if a file is out of date")
    check = parser.parse_args().check
    outdated = {
        file: text for file, text in generated().items() if not file.exists() or file.read_text("utf-8") != text
    }
    for file, text in outdated.items():
        if check:
            sys.stderr.write(f"{file.name} is out of date: run python prometheus_rules/generate.py\n")
        else:
            file.write_text(text, "utf-8")
            sys.stdout.write(f"wrote {file.name}\n")
    return 1 if check and outdated else 0


if __name__ == "__main__":
    sys.exit(main())
