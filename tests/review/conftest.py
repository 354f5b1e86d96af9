"""Answers that a judge has judged by a rubric, what a person does with their sheet, and a collector for the grades."""

import csv
import io
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
from hypothesis import settings
from prometheus_client import parser as text_parser

from llmvitals import semconv
from llmvitals.judge.rubric import Rubric
from llmvitals_collector.__main__ import main
from llmvitals_collector.config import Config, GrpcReceiver, HttpReceiver, Metrics, Receivers
from llmvitals_collector.pipeline import Pipeline
from llmvitals_collector.review import Item, ReviewStore
from llmvitals_collector.storage import StorageConfig

# Examples take longer when a machine is busy, which is no failure.
settings.register_profile("without deadline", deadline=None)
settings.load_profile("without deadline")

HELPFULNESS = """
rubric: support-helpfulness
version: 3
dimension: helpfulness
needs: [query, actual]
scale: {points: 8, pass: 6}
questions:
  - {id: answers, ask: "Does it answer: really?", options: {no: 0, partly: 2, yes: 4}}
  - {id: honest, ask: "Does it say what it does not know?", options: {no: 0, n/a: 4, yes: 4}}
"""
TONE = """
rubric: tone
version: 1
dimension: tone
scale: {points: 1, pass: 1}
questions:
  - {id: polite, ask: "Is it polite?", options: {no: 0, yes: 1}}
"""


@pytest.fixture
def rubric_files(tmp_path) -> list[Path]:
    """A rubric of helpfulness, and one of tone."""
    files = [tmp_path / "helpfulness.yaml", tmp_path / "tone.yaml"]
    for file, text in zip(files, (HELPFULNESS, TONE), strict=True):
        file.write_text(text)
    return files


@pytest.fixture(scope="session")
def rubric() -> Rubric:
    return Rubric.parse(HELPFULNESS)


@pytest.fixture(scope="session")
def item(rubric) -> Callable[..., Item]:
    """`item(number)` is an answer that the judge lets pass; what else is given differs."""
    base = Item(
        service="shop",
        provider="openai",
        operation=semconv.CHAT,
        model="gpt-5",
        template="support",
        template_version="7",
        release="1.4.0",
        trace_id="",
        span_id="",
        answered_at=time.time() - 60,
        query="Where is my parcel?",
        actual="It comes tomorrow.",
        dimension="helpfulness",
        track=semconv.UTILITY,
        rubric=rubric.hash,
        judge="judge-1",
        judge_verdict=semconv.PASS,
        judge_score=0.75,
        weight=20.0,
        stratum=semconv.UNIFORM,
        language="en",
        latency_band="1-3s",
    )

    def make(number: int = 1, **changes) -> Item:
        return msgspec.structs.replace(base, trace_id=f"{number:032x}", span_id=f"{number:016x}", **changes)

    return make


@pytest.fixture
def directory(tmp_path) -> Path:
    """Where the answers wait."""
    return tmp_path / "review"


@pytest.fixture
def keep(directory) -> Callable[..., None]:
    """Put items where the collector would."""

    def add(*items: Item) -> None:
        store = ReviewStore(directory)
        assert all(store.add(each) for each in items)

    return add


@pytest.fixture
def export(directory, rubric_files) -> Callable[..., int]:
    """Run `llmvitals review export`."""

    def run(*arguments: object) -> int:
        rubrics = ["--rubrics", *map(str, rubric_files)]
        return main(["review", "export", "--from", str(directory), *rubrics, *map(str, arguments)])

    return run


@pytest.fixture
def fill() -> Callable[..., None]:
    """`fill(sheet, answers_of)` grades a sheet: `answers_of(row)` has answers by the name of their column."""

    def run(sheet: Path, answers_of: Callable[[dict[str, str]], dict[str, str]], grader: str = "Ann") -> None:
        rows = list(csv.DictReader(io.StringIO(sheet.read_text("utf-8-sig"), newline="")))
        heading = {name.partition(":")[0]: name for name in rows[0]}
        for row in rows:
            row |= {heading[column]: answer for column, answer in answers_of(row).items()} | {"grader": grader}
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, rows[0])
        writer.writeheader()
        writer.writerows(rows)
        sheet.write_text(text.getvalue(), "utf-8")

    return run


@pytest.fixture
def collector(tmp_path) -> Iterator[Pipeline]:
    """A collector that runs, and has a journal."""
    receivers = Receivers(grpc=GrpcReceiver(address="127.0.0.1:0"), http=HttpReceiver(address="127.0.0.1:0"))
    storage = StorageConfig(directory=str(tmp_path / "storage"))
    pipeline = Pipeline(Config(receivers=receivers, metrics=Metrics(address="127.0.0.1:0"), storage=storage))
    pipeline.start()
    yield pipeline
    pipeline.stop()


@pytest.fixture
def url(collector) -> str:
    return f"http://127.0.0.1:{collector.http.port}"


@pytest.fixture
def counted(collector) -> Callable[..., float]:
    """`counted(family, **labels)` is the sum of its series with these labels."""

    def count(family: semconv.Family, **labels: str) -> float:
        with urllib.request.urlopen(f"http://127.0.0.1:{collector.metrics.port}/metrics") as answer:
            families = text_parser.text_string_to_metric_families(answer.read().decode())
        samples = (sample for each in families for sample in each.samples if sample.name == family.name)
        return sum(sample.value for sample in samples if labels.items() <= sample.labels.items())

    return count
