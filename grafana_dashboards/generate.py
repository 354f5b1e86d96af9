"""Writes the dashboards as JSON for Grafana: `python grafana_dashboards/generate.py [--check]`."""

import argparse
import json
import sys
from pathlib import Path

from grafana_foundation_sdk.cog.encoder import JSONEncoder

import collector
import cost
import feedback
import latency
import overview
import quality

FOLDER = Path(__file__).parent
BOARDS = (overview.BOARD, latency.BOARD, quality.BOARD, feedback.BOARD, cost.BOARD, collector.BOARD)


def generated() -> dict[Path, str]:
    """The JSON text of every board, by the file it belongs in."""
    return {
        FOLDER / f"{board.uid}.json": json.dumps(board, cls=JSONEncoder, sort_keys=True, indent=2, allow_nan=False)
        + "\n"
        for board in BOARDS
    }


def main() -> int:
    """Write the files, or with --check only say which of them are not what would be written (exit code 1)."""
    parser = argparse.ArgumentParser(description="Write the Grafana dashboards as JSON.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 if a file is out of date")
    check = parser.parse_args().check
    boards = generated().items()
    outdated = {file: text for file, text in boards if not file.exists() or file.read_text("utf-8") != text}
    for file, text in outdated.items():
        if check:
            print(f"{file.name} is out of date: run python grafana_dashboards/generate.py", file=sys.stderr)
        else:
            file.write_text(text, "utf-8")
            print(f"wrote {file.name}")
    return 1 if check and outdated else 0


if __name__ == "__main__":
    sys.exit(main())
