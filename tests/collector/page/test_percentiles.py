"""The page's percentiles are those that Prometheus gives for the same buckets."""

import json
import math
import time
import urllib.parse
import urllib.request

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmvitals import semconv
from llmvitals_collector import expose
from llmvitals_collector.config import DebugConfig, Metrics
from llmvitals_collector.debug import Debug
from llmvitals_collector.demo import servers
from llmvitals_collector.health import Health
from llmvitals_collector.page.percentiles import percentiles
from llmvitals_collector.quantiles import histogram_quantile
from llmvitals_collector.scrape import ScrapeServer

PATIENCE = 60.0
SHARES = (0.05, 0.5, 0.95, 0.99)


@given(
    st.lists(st.integers(0, 1000), min_size=2, max_size=20),
    st.floats(0.001, 1.0),
)
def test_they_are_promql_s_of_classic_buckets(counts, share):
    bounds = np.cumsum(np.full(len(counts) - 1, 0.25))
    (found,) = percentiles(np.array([counts], float), bounds, (share,))[0]
    cumulative = dict(zip([*bounds.tolist(), math.inf], np.cumsum(counts).tolist(), strict=True))
    assert found == pytest.approx(histogram_quantile(share, cumulative), nan_ok=True)


def test_where_nothing_was_observed_there_is_none():
    assert np.isnan(percentiles(np.zeros((1, 3)), np.array([1.0, 2.0]), (0.5,))).all()


def test_what_is_above_the_highest_bound_is_told_as_that():
    assert percentiles(np.array([[0.0, 0.0, 9.0]]), np.array([1.0, 2.0]), (0.5,))[0, 0] == 2.0


def test_in_native_buckets_the_middle_is_the_geometric_mean():
    found = percentiles(np.array([[0.0, 10.0, 0.0]]), np.array([1.0, 4.0]), (0.5,), exponential=True)
    assert found[0, 0] == pytest.approx(2.0)


@pytest.mark.servers
@pytest.mark.parametrize(("classic", "most"), [(True, 1e-3), (False, 0.01)], ids=["classic", "native"])
def test_they_agree_with_a_real_prometheus(seeing, program, tmp_path, classic, most):
    """To the digits that the page shows; of native buckets Prometheus 2 interpolates otherwise, within a hundredth."""
    program("prometheus")
    metrics = Metrics(address="127.0.0.1:0", classic_histograms=classic, native_histograms=not classic)
    seen = seeing(metrics=metrics)
    chance = np.random.default_rng(3)
    for model in ("fast", "slow"):
        seen.durations(chance.lognormal(0.0 if model == "fast" else 1.5, 0.6, 500).tolist(), model=model)
    health, debug = Health(), Debug(DebugConfig())
    server = ScrapeServer(metrics, lambda form: expose.render(seen.state.snapshot(), form), health, debug)
    server.start()
    try:
        job = {"job_name": "it", "static_configs": [{"targets": [f"127.0.0.1:{server.port}"]}]}
        configuration = {"global": {"scrape_interval": "1s"}, "scrape_configs": [job]}
        name = semconv.DURATION.name + ("_bucket" if classic else "")
        by = f"{semconv.LABEL_MODEL}, le" if classic else semconv.LABEL_MODEL
        with servers.prometheus(configuration, tmp_path, features=("native-histograms",)) as prometheus:
            deadline = time.monotonic() + PATIENCE
            for share, title in ((0.5, "p50"), (0.95, "p95"), (0.99, "p99")):
                query = urllib.parse.urlencode({"query": f"histogram_quantile({share}, sum by ({by}) ({name}))"})
                result = []
                while not result:
                    assert time.monotonic() < deadline
                    with urllib.request.urlopen(f"{prometheus.url}/api/v1/query?{query}") as answer:
                        result = json.load(answer)["data"]["result"]
                    time.sleep(0 if result else 0.2)
                theirs = {each["metric"][semconv.LABEL_MODEL]: float(each["value"][1]) for each in result}
                ours = {row["name"]: row["duration"][title] for row in seen.page("window=all")["models"]}
                assert ours == pytest.approx(theirs, rel=most)
    finally:
        server.stop()
