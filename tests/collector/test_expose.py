"""What Prometheus reads is what was counted, in both text formats."""

import subprocess

import numpy as np
import pytest
from prometheus_client import parser as text_parser
from prometheus_client.openmetrics import parser as openmetrics_parser

from llmvitals import semconv
from llmvitals_collector.aggregate import State
from llmvitals_collector.calls import Calls
from llmvitals_collector.expose import Format, Renderer
from llmvitals_collector.scrape import negotiated
from llmvitals_collector.telemetry import Telemetry

PARSERS = {
    Format.TEXT: text_parser.text_string_to_metric_families,
    Format.OPENMETRICS: openmetrics_parser.text_string_to_metric_families,
}
ODD = 'a"b\\c\n%d \0é{}'


@pytest.fixture
def snapshots():
    state = State(label_sets=1)
    calls = Calls.from_rows(
        [
            {"service": "shop", "model": ODD, "duration": 1.0, "input_tokens": 3, "streamed": True},
            {"service": "shop", "model": ODD, "duration": 400.0, "time_to_first_token": 0.1, "streamed": True},
            {"service": "late", "duration": 2.5},
        ]
    )
    for column in Calls.derived:
        calls.add(column.name, np.zeros(len(calls)))
    state.add(calls)
    return [*state.snapshot(), *Telemetry(label_sets=10, processors=["classify"]).snapshot()]


@pytest.mark.parametrize("format", Format)
def test_the_text_holds_every_family_and_every_number(snapshots, format):
    text = Renderer().render(snapshots, format).decode()
    families = {family.name: family for family in PARSERS[format](text)}
    suffix = "_total" if format is Format.OPENMETRICS else ""
    assert set(families) == {family.name.removesuffix("_total") for family in semconv.FAMILIES}
    assert suffix in text
    samples = {
        (sample.name, sample.labels.get("le")): sample.value
        for sample in families[semconv.DURATION.name].samples
        if sample.labels[semconv.LABEL_MODEL] == ODD
    }
    assert samples[f"{semconv.DURATION.name}_count", None] == 2
    assert samples[f"{semconv.DURATION.name}_sum", None] == 401
    buckets = {bound: value for (_, bound), value in samples.items() if bound}
    assert list(buckets) == [*(repr(bound) for bound in semconv.SECONDS_BOUNDS), "+Inf"]
    assert (buckets["0.96"], buckets["1.12"], buckets["327.68"], buckets["+Inf"]) == (0, 1, 1, 2)
    (overflow,) = (
        sample
        for sample in families["llm_calls"].samples
        if sample.labels[semconv.LABEL_MODEL] == semconv.OVERFLOW and sample.labels[semconv.LABEL_OUTCOME] == semconv.OK
    )
    assert overflow.value == 1


def test_rendering_twice_gives_the_same(snapshots):
    renderer = Renderer()
    assert renderer.render(snapshots, Format.TEXT) == renderer.render(snapshots, Format.TEXT)


def test_openmetrics_ends_with_its_mark_and_names_units(snapshots):
    text = Renderer().render(snapshots, Format.OPENMETRICS).decode()
    assert text.endswith("\n# EOF\n")
    assert f"# UNIT {semconv.DURATION.name} seconds\n" in text
    assert "# TYPE llm_calls counter\n" in text


@pytest.mark.servers
def test_promtool_finds_nothing_to_say_about_the_names(snapshots, program):
    text = Renderer().render(snapshots, Format.TEXT)
    checked = subprocess.run([program("promtool"), "check", "metrics"], input=text, capture_output=True, check=False)
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, b"", b"")


@pytest.mark.parametrize(
    ("accept", "format"),
    [
        ("", Format.TEXT),
        ("*/*", Format.TEXT),
        ("text/html,*/*;q=0.8", Format.TEXT),
        ("text/plain;version=0.0.4", Format.TEXT),
        ("application/openmetrics-text", Format.OPENMETRICS),
        (
            "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
            "text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
            Format.OPENMETRICS,
        ),
        ("application/openmetrics-text;q=0.2,text/plain;q=0.5", Format.TEXT),
        ("application/openmetrics-text;q=0", Format.TEXT),
        ("application/openmetrics-text;q=much", Format.TEXT),
    ],
)
def test_the_accept_header_decides_the_format(accept, format):
    assert negotiated(accept) is format
