"""histogram_quantile, against the values that PromQL has for the same histograms."""

import json
import math
import random
import subprocess

import pytest

from llmvitals_collector.quantiles import histogram_quantile

INF = math.inf
PLAIN = {0.1: 10, 0.2: 10, 0.4: 50, INF: 100}


@pytest.mark.parametrize(
    ("quantile", "buckets", "value"),
    [
        pytest.param(0.05, PLAIN, 0.05, id="the lowest bucket begins at 0"),
        pytest.param(0.3, PLAIN, 0.3, id="linear within a bucket"),
        pytest.param(0.5, PLAIN, 0.4, id="a rank on a bound is the bound"),
        pytest.param(0.9, PLAIN, 0.4, id="above the highest finite bound"),
        pytest.param(0.5, {-1: 10, 1: 20, INF: 20}, -1, id="a lowest bound that is not positive is the answer"),
        pytest.param(0.5, {1: 10, 2: 5, 3: 20, INF: 20}, 1, id="counts that fall are raised"),
        pytest.param(0.5, {1: 1, 2: 1 + 1e-13, INF: 2}, 1, id="differences by rounding are removed"),
        pytest.param(-0.1, PLAIN, -INF, id="below 0"),
        pytest.param(1.1, PLAIN, INF, id="above 1"),
        pytest.param(math.nan, PLAIN, math.nan, id="no quantile"),
        pytest.param(0.5, {1: 0, INF: 0}, math.nan, id="no observations"),
        pytest.param(0.5, {INF: 5}, math.nan, id="no finite bound"),
        pytest.param(0.5, {1: 5, 2: 6}, math.nan, id="no infinite bound"),
        pytest.param(0, {1: 0, 2: 5, INF: 5}, math.nan, id="quantile 0 and an empty lowest bucket"),
        pytest.param(0.5, {}, math.nan, id="nothing at all"),
    ],
)
def test_edges_are_those_of_promql(quantile, buckets, value):
    assert histogram_quantile(quantile, buckets) == pytest.approx(value, rel=1e-12, nan_ok=True)


def drawn_histograms(count):
    chance = random.Random(7)
    for _ in range(count):
        bounds = sorted(round(chance.uniform(-1, 20), 3) for _ in range(chance.randint(1, 8)))
        total = 0
        buckets = {}
        for bound in [*dict.fromkeys(bounds), INF]:
            # Now and then a count falls, as it may between two scrapes.
            total = max(total + chance.choice([0, 1, 3, 40, -2]), 0)
            buckets[bound] = total
        yield buckets


@pytest.mark.servers
def test_random_histograms_have_the_values_that_promtool_computes(tmp_path, program):
    """Each histogram is given to promtool with our values as the expected ones: it compares them exactly."""
    series, expected = [], []
    for number, buckets in enumerate(drawn_histograms(60)):
        for bound, count in buckets.items():
            le = "+Inf" if bound == INF else str(bound)
            series.append({"series": f'h_bucket{{number="{number}",le="{le}"}}', "values": str(count)})
        for quantile in (0.01, 0.5, 0.95, 1):
            value = histogram_quantile(quantile, buckets)
            if not math.isnan(value):  # promtool finds NaN unlike NaN
                expr = f'histogram_quantile({quantile}, h_bucket{{number="{number}"}})'
                sample = {"labels": f'{{number="{number}"}}', "value": value}
                expected.append({"expr": expr, "eval_time": "0m", "exp_samples": [sample]})
    assert len(expected) > 100
    test = {"tests": [{"interval": "1m", "input_series": series, "promql_expr_test": expected}]}
    path = tmp_path / "quantiles.test.yml"
    path.write_text(json.dumps(test))
    ran = subprocess.run([program("promtool"), "test", "rules", path], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
