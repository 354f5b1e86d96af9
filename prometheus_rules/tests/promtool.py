"""What the generators of unit tests share: how promtool wants them, and the program that writes or checks a file."""

import argparse
import math
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

PRECISION = 1e-6


def selector(name: str, labels: dict[str, str]) -> str:
    """A series, as promtool reads and prints it."""
    return name + "{" + ",".join(f'{label}="{value}"' for label, value in labels.items()) + "}"


def comparisons(
    expected: Iterable[tuple[str, dict[str, str], float]], window: str, eval_time: str
) -> list[dict[str, Any]]:
    """One test for each name: in this window it has these series, with these values to PRECISION, and no others.

    expected: name, labels without the window, and value of each series.
    """
    samples: dict[str, list[dict[str, object]]] = {}
    for name, labels, value in expected:
        sample = {"labels": selector("", {**labels, "window": window}), "value": _rounded(value)}
        samples.setdefault(name, []).append(sample)
    return [
        {"expr": f'round({name}{{window="{window}"}}, {PRECISION:f})', "eval_time": eval_time, "exp_samples": of_name}
        for name, of_name in samples.items()
    ]


def write_or_check(file: Path, content: dict[str, Any], description: str) -> None:
    """Write the file of unit tests, or with --check only say whether it is what would be written (exit code 1)."""
    program = Path(sys.argv[0]).name
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 if the file is out of date")
    text = f"# Written by {program}.\n" + yaml.safe_dump(content, sort_keys=False, width=1000)
    if not parser.parse_args().check:
        file.write_text(text, "utf-8")
    elif not file.exists() or file.read_text("utf-8") != text:
        sys.exit(f"{file.name} is out of date: run python prometheus_rules/tests/{program}")


def _rounded(value: float) -> float:
    """As PromQL's `round` does it: half up, by the inverse of the precision."""
    return math.floor(value * (1 / PRECISION) + 0.5) / (1 / PRECISION)
