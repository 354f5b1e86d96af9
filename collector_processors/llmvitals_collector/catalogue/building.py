"""Builds the directory that follows from a catalogue: rules, alerts, their tests, runbooks, boards, configurations."""

import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import msgspec
import yaml

from llmvitals import semconv
from llmvitals_collector import assets
from llmvitals_collector.catalogue import documentation, floor_tests, linting, recording, rule_files
from llmvitals_collector.catalogue.catalogue import Catalogue, Links

SUMS = "SHA256SUMS"
_HEAD = """\
# Written by `llmvitals catalogue build`: a part of the configuration of `llmvitals collect`. With the path of the
# catalogue under metrics.catalogue, the page of the collector knows its floors, too.
"""
# What stands in Alertmanager's shipped files for addresses: the catalogue's defaults.
_EXAMPLES = {example: name for name, example in msgspec.structs.asdict(Links()).items()}
_EXAMPLE = re.compile("|".join(map(re.escape, _EXAMPLES)))


def files(catalogue: Catalogue, source: Path) -> dict[str, str]:
    """The text of every file, by its path in the directory.

    source: the catalogue's file, beside which its runbooks are looked for.
    """
    return dict(sorted(_files(catalogue, source)))


def write(texts: dict[str, str], directory: Path) -> None:
    """Put files in a directory, which is then there as a whole, or as it was before.

    Raises:
        ValueError: there are files in it that were not written by this, or changed since: one sentence.
        OSError: it cannot be written.
    """
    directory = directory.resolve()
    _refuse_what_is_not_ours(directory)
    directory.parent.mkdir(parents=True, exist_ok=True)
    new = Path(tempfile.mkdtemp(prefix=f".{directory.name}.", dir=directory.parent))
    try:
        _fill(new, {**texts, SUMS: _sums(texts)})
        new.chmod(0o755)
        _replace(directory, new)
    finally:
        shutil.rmtree(new, ignore_errors=True)  # what was there before, or what could not be put there


def _replace(directory: Path, new: Path) -> None:
    """Let two directories change places, of which the first may not be there yet."""
    old = new.with_name(f"{new.name}.old")
    if not directory.exists():
        new.rename(directory)
        return
    directory.rename(old)
    try:
        new.rename(directory)
    except OSError:
        old.rename(directory)
        raise
    old.rename(new)


def _files(catalogue: Catalogue, source: Path) -> Iterator[tuple[str, str]]:
    folder = assets.prometheus_rules()
    rules = rule_files.different(rule_files.shipped(), catalogue)
    rules[recording.FILE_NAME] = recording.rules(catalogue)
    yield from ((f"prometheus/{name}", text) for name, text in rules.items())
    yield "prometheus/prometheus.yml", _text(folder / "prometheus.yml")
    for file in (folder / "alertmanager").iterdir():
        yield f"alertmanager/{file.name}", _addressed(_text(file), catalogue)
    alerts = rule_files.alerts(rules)
    if below_floor := alerts.get(semconv.ALERT_BELOW_FLOOR):
        yield "prometheus/tests/floors.test.yml", floor_tests.tests(catalogue, below_floor.for_)
    pages = {f"{name}.md": _text(folder / "runbooks" / f"{name}.md") for name in alerts}
    pages |= dict(_own_runbooks(catalogue, source.parent))
    yield from ((f"runbooks/{name}", text) for name, text in pages.items())
    boards = assets.grafana_dashboards()
    for file in (*boards.glob("*.json"), *boards.glob("provisioning/*/*.yml")):
        yield f"grafana/{file.relative_to(boards).as_posix()}", _text(file)
    yield "collector.yml", _collector(catalogue)
    yield "CATALOGUE.md", documentation.catalogue_page(catalogue, alerts, lambda name: pages[f"{name}.md"])


def _own_runbooks(catalogue: Catalogue, folder: Path) -> Iterator[tuple[str, str]]:
    for metric in catalogue.metrics():
        page = linting.runbook(metric.runbook, folder)
        if page:
            yield page.name, _text(page)


def _addressed(text: str, catalogue: Catalogue) -> str:
    """A file of Alertmanager's, with the catalogue's links in place of the examples."""
    links = msgspec.structs.asdict(catalogue.links)
    return _EXAMPLE.sub(lambda found: links[_EXAMPLES[found[0]]], text)


def _collector(catalogue: Catalogue) -> str:
    shares: dict[str, float] = {}
    for feature in catalogue.features.values():
        for pattern in feature.templates if feature.share is not None else ():
            shares[pattern] = max(feature.share or 0, shares.get(pattern, 0))
    sections = {
        "processors": {"slo": msgspec.to_builtins(catalogue.objectives)},
        "limits": msgspec.to_builtins(catalogue.limits),
    }
    if shares:
        sections["evaluation"] = {"templates": {pattern: {"share": share} for pattern, share in shares.items()}}
    return _HEAD + yaml.safe_dump(sections, sort_keys=False, allow_unicode=True)


def _text(file: Path) -> str:
    return file.read_text("utf-8")


def _fill(directory: Path, texts: dict[str, str]) -> None:
    for path, text in texts.items():
        file = directory / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")


def _sums(texts: dict[str, str]) -> str:
    """As `sha256sum --check` reads it."""
    return "".join(f"{_sum(text.encode())}  {path}\n" for path, text in texts.items())


def _sum(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _refuse_what_is_not_ours(directory: Path) -> None:
    """An earlier build is replaced, whatever else there is stays."""
    if directory.exists() and not directory.is_dir():
        raise ValueError(f"{directory}: is a file; valid: a directory that is new, empty or was built before")
    there = {os.path.relpath(file, directory): file for file in directory.rglob("*") if not file.is_dir()}
    sums = there.pop(SUMS, None)
    if not there and not sums:
        return
    if not sums:
        raise ValueError(f"{directory}: holds files, none of which was built; valid: a directory that is new or empty")
    ours = {path: written for written, _, path in (line.partition("  ") for line in _text(sums).splitlines())}
    for path, file in sorted(there.items()):
        if path not in ours:
            raise ValueError(f"{file}: was not built; move it out of {directory}, which is built as a whole")
        if _sum(file.read_bytes()) != ours[path]:
            raise ValueError(f"{file}: was changed since it was built; change the catalogue, and delete this file")
