"""What a scraper asks for it gets, and a real Prometheus reads it with the accuracy that is promised."""

import gzip
import json
import time
import urllib.parse
import urllib.request
from contextlib import contextmanager

import numpy as np
import pytest

from llmvitals import semconv
from llmvitals_collector import expose
from llmvitals_collector.aggregate import State
from llmvitals_collector.calls import Calls
from llmvitals_collector.config import DebugConfig, Limits, Metrics
from llmvitals_collector.debug import Debug
from llmvitals_collector.demo import servers
from llmvitals_collector.expose import Format
from llmvitals_collector.health import Health
from llmvitals_collector.scrape import ScrapeServer, negotiated

PATIENCE = 60.0

OPENMETRICS_FIRST = (
    "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
    "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
)
PROTOBUF = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"


@pytest.mark.parametrize(
    ("accept", "format"),
    [
        ("", Format.TEXT),
        ("*/*", Format.TEXT),
        ("text/html,*/*;q=0.8", Format.TEXT),
        ("text/plain;version=0.0.4", Format.TEXT),
        ("application/openmetrics-text", Format.OPENMETRICS),
        (OPENMETRICS_FIRST, Format.OPENMETRICS),
        ("application/openmetrics-text;q=0.2,text/plain;q=0.5", Format.TEXT),
        ("application/openmetrics-text;q=0", Format.TEXT),
        ("application/openmetrics-text;q=much", Format.TEXT),
        (f"{PROTOBUF},application/openmetrics-text;version=1.0.0;q=0.8,text/plain;q=0.5", Format.PROTOBUF),
        (f"{PROTOBUF};q=0.6,{OPENMETRICS_FIRST}", Format.OPENMETRICS),
        (f"application/vnd.google.protobuf;encoding=text,{OPENMETRICS_FIRST}", Format.OPENMETRICS),
    ],
    ids=str,
)
def test_the_accept_header_decides_the_format(accept, format):
    assert negotiated(accept) is format


# ---- A state that is scraped -------------------------------------------------------------------------

SHAPES = [(median, sigma) for median in np.geomspace(0.3, 20.0, 60) for sigma in (0.3, 0.5, 0.8)]
TRACE = {"sampled": np.True_, "trace_id_low": np.uint64(0xABC), "span_id": np.uint64(0xDEF)}


def shapes(values):
    """A batch with the durations of each shape, float64 (shapes, n), under a model of its own."""
    count = values.size
    strings = ["", *(f"model {number}" for number in range(len(values)))]
    arrays = {
        "model": np.repeat(np.arange(1, len(values) + 1, dtype=np.int32), values.shape[1]),
        "duration": values.reshape(-1),
        "end_time": np.full(count, time.time()),
        **{name: np.full(count, value) for name, value in TRACE.items()},
    }
    calls = Calls(strings, {**{name: np.zeros(count, np.int32) for name in ("service", "template")}, **arrays})
    calls.add("outcome", np.zeros(count, np.int8))
    return calls


@pytest.fixture(scope="module")
def durations():
    chance = np.random.default_rng(7)
    return np.stack([np.exp(chance.normal(np.log(median), sigma, 3000)) for median, sigma in SHAPES])


@contextmanager
def serving(state):
    """The address of a server for the state."""
    server = ScrapeServer(
        Metrics(address="127.0.0.1:0"),
        lambda chosen: expose.render(state.snapshot(), chosen),
        Health(),
        Debug(DebugConfig()),
    )
    server.start()
    try:
        yield f"127.0.0.1:{server.port}"
    finally:
        server.stop()


def get(address, **headers):
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    with urllib.request.urlopen(urllib.request.Request(f"http://{address}/metrics", headers=names)) as answer:
        return answer.headers, answer.read()


@pytest.mark.parametrize("format", Format)
def test_a_scrape_comes_in_pieces_and_is_the_same_when_compressed(durations, format):
    """Whoever takes data has its turn after each piece."""
    state = State(Limits(), Metrics())
    state.add(shapes(durations[:, :10]))
    pieces = list(expose.render(state.snapshot(), format))
    assert len(pieces) > len(SHAPES) / 64
    with serving(state) as address:
        headers, plain = get(address, accept=format.value)
        assert (headers["content-type"], headers["transfer-encoding"]) == (format.value, "chunked")
        assert plain == b"".join(pieces)
        headers, zipped = get(address, accept=format.value, accept_encoding="gzip")
        assert headers["content-encoding"] == "gzip"
        assert gzip.decompress(zipped) == plain
        assert len(zipped) < len(plain) / 4


@pytest.fixture(scope="module")
def queried(durations, program, tmp_path_factory):
    """Query a Prometheus that has scraped the state, once with native histograms and once without."""
    program("prometheus")
    native, classic = State(Limits(), Metrics()), State(Limits(), Metrics(native_histograms=False))
    for state in (native, classic):
        state.add(shapes(durations))
    with serving(native) as one, serving(classic) as two:
        configuration = {
            "global": {"scrape_interval": "1s"},
            "scrape_configs": [
                {"job_name": job, "static_configs": [{"targets": [address]}]}
                for job, address in (("native", one), ("classic", two))
            ],
        }
        folder = tmp_path_factory.mktemp("prometheus")
        features = ("native-histograms", "exemplar-storage")
        with servers.prometheus(configuration, folder, features=features) as prometheus:

            def ask(path, **parameters):
                url = f"{prometheus.url}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
                with urllib.request.urlopen(url) as answer:
                    return json.load(answer)["data"]

            deadline = time.monotonic() + PATIENCE
            while len(ask("query", query="up == 1 and scrape_samples_scraped > 0")["result"]) < 2:
                assert time.monotonic() < deadline, ask("targets")["activeTargets"]
                time.sleep(0.2)
            yield ask


@pytest.mark.servers
@pytest.mark.parametrize("quantile", [0.95, 0.99])
@pytest.mark.parametrize(("form", "most"), [("native", 0.01), ("classic", 0.05)])
def test_the_percentiles_of_prometheus_are_those_of_the_values(queried, durations, form, most, quantile):
    """Of 180 lognormal shapes, from 0.3 to 20 seconds: the median error is at most 1 % and 5 %."""
    name = semconv.DURATION.name if form == "native" else f"{semconv.DURATION.name}_bucket"
    result = queried("query", query=f'histogram_quantile({quantile}, {name}{{job="{form}"}})')["result"]
    found = {each["metric"][semconv.LABEL_MODEL]: float(each["value"][1]) for each in result}
    assert len(found) == len(SHAPES)
    exact = np.quantile(durations, quantile, axis=1, method="inverted_cdf")
    errors = [abs(found[f"model {number}"] / value - 1) for number, value in enumerate(exact)]
    assert np.median(errors) <= most


@pytest.mark.servers
def test_prometheus_has_the_sum_and_the_count_of_every_value(queried, durations):
    for query, exact in (
        (f'histogram_sum({semconv.DURATION.name}{{job="native"}})', durations.sum(axis=1)),
        (f'histogram_count({semconv.DURATION.name}{{job="native"}})', np.full(len(SHAPES), durations.shape[1])),
        (f'{semconv.DURATION.name}_sum{{job="classic"}}', durations.sum(axis=1)),
        (f'{semconv.DURATION.name}_count{{job="classic"}}', np.full(len(SHAPES), durations.shape[1])),
    ):
        result = queried("query", query=query)["result"]
        found = {each["metric"][semconv.LABEL_MODEL]: float(each["value"][1]) for each in result}
        assert [found[f"model {number}"] for number in range(len(SHAPES))] == pytest.approx(exact.tolist())


@pytest.mark.servers
@pytest.mark.parametrize("job", ["native", "classic"])
def test_prometheus_keeps_the_exemplars(queried, job):
    now = time.time()
    result = queried(
        "query_exemplars", query=f'{{__name__=~"{semconv.DURATION.name}.*",job="{job}"}}', start=now - 600, end=now + 60
    )
    labels = [exemplar["labels"] for each in result for exemplar in each["exemplars"]]
    assert labels
    assert {each["trace_id"] for each in labels} == {f"{0xABC:032x}"}
