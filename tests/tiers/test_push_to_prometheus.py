"""What is pushed to a real Prometheus are the series that it scrapes, so that every query gives the same."""

import json
import math
import urllib.parse
from pathlib import Path

import pytest
import yaml

from llmvitals import semconv
from llmvitals_collector.demo.children import Child, loopback_port, read

pytestmark = pytest.mark.tiers

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples" / "otel_collector"
DURATION = semconv.DURATION.name
CALLS = semconv.CALLS.name
FORMS = EXPLICIT, EXPONENTIAL = ("explicit", "exponential")
# What Prometheus adds, the times that OpenMetrics tells in series of their own, and what moves between two readings.
OTHERS = (
    f"up|scrape_.*|target_info|.*_created|process_.*|otelcol_(process|exporter)_.*|{semconv.COLLECTOR_CPU_SECONDS.name}"
)


class Prometheus:
    """A Prometheus that scrapes a target with classic and with native histograms, and can be pushed to."""

    def __init__(self, program, folder, port, target):
        self.url = f"http://127.0.0.1:{port}"
        configuration = {
            "global": {"scrape_interval": "1s", "scrape_timeout": "1s"},
            "scrape_configs": [
                {
                    "job_name": f"scraped-{form}",
                    "scrape_native_histograms": form == EXPONENTIAL,
                    "static_configs": [{"targets": [target]}],
                }
                for form in FORMS
            ],
        }
        folder.mkdir()
        (folder / "prometheus.yml").write_text(yaml.safe_dump(configuration))
        self._command = [
            *(program, f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data"),
            *(f"--web.listen-address=127.0.0.1:{port}", "--web.enable-otlp-receiver"),
        ]
        self.start()

    def start(self):
        self._child = Child("Prometheus", self._command, self.url).wait_until_ready("/-/ready")

    def stop(self):
        self._child.stop()

    def query(self, expression):
        answer = read(f"{self.url}/api/v1/query?{urllib.parse.urlencode({'query': expression})}")
        return json.loads(answer)["data"]["result"]

    def by_job(self, expression):
        """The value of each job."""
        return {each["metric"]["job"]: float(each["value"][1]) for each in self.query(expression)}

    def series(self, job):
        """Value by labels, without those that tell who gave it; the buckets' bounds as numbers."""
        found = {}
        for each in self.query(f'{{job="{job}",__name__!~"{OTHERS}"}}'):
            labels = {name: value for name, value in each["metric"].items() if name not in ("job", "instance")}
            if "le" in labels:
                labels["le"] = float(labels["le"])
            histogram = each.get("histogram", [0, {}])[1]
            value = [each["value"][1]] if "value" in each else [histogram["count"], histogram["sum"]]
            found[frozenset(labels.items())] = [float(number) for number in value]
        return found


@pytest.fixture
def ours_and_prometheus(started, program3, tmp_path):
    """A collector that pushes in both forms to the Prometheus that scrapes it."""
    port = loopback_port(0, "")
    # By name, as addresses are replaced by those where the collector itself listens.
    to = {"endpoint": f"http://localhost:{port}/api/v1/otlp", "protocol": "http", "interval_seconds": 1}
    push = {form: {**to, "histograms": form, "resource": {"service.name": f"pushed-{form}"}} for form in FORMS}
    file = tmp_path / "ours.yaml"
    file.write_text((EXAMPLES / "replica.yaml").read_text() + yaml.safe_dump({"push": push}))
    ours = started(file)
    prometheus = Prometheus(program3, tmp_path / "prometheus", port, ours.address(9464))
    yield ours, prometheus
    prometheus.stop()


@pytest.fixture
def spread(calls):
    """So many calls, each a tenth of a second longer than the one before."""

    def made(count):
        request = calls(count)
        for number, span in enumerate(request.resource_spans[0].scope_spans[0].spans, start=1):
            span.start_time_unix_nano = span.end_time_unix_nano - number * 10**8
        return request

    return made


def alike(prometheus, form, number):
    """Whether so many calls are counted, and each series that was scraped was pushed, too, and has the same value."""
    scraped, pushed = prometheus.series(f"scraped-{form}"), prometheus.series(f"pushed-{form}")
    counted = {sum(value for (value, *_) in (named(each, CALLS).values())) for each in (scraped, pushed)}
    return counted == {number} and scraped == pushed


def named(series, name):
    return {labels: value for labels, value in series.items() if ("__name__", name) in labels}


def test_what_is_pushed_are_the_series_that_are_scraped_and_queries_give_the_same(
    ours_and_prometheus, spread, send, until
):
    ours, prometheus = ours_and_prometheus
    for counted in (70, 140):
        send(ours, spread(70))
        for form in FORMS:
            until(lambda form=form, counted=counted: alike(prometheus, form, counted), ours.log)
        # A window with samples all over it is extrapolated by the same factor, whatever their times are.
        samples = f"min by (job) (count_over_time({CALLS}[16s]))"
        until(lambda samples=samples, counted=counted: counted > 70 or min(prometheus.by_job(samples).values()) > 11)
    quantiles = {
        EXPLICIT: prometheus.by_job(f"histogram_quantile(0.95, sum by (job, le) (rate({DURATION}_bucket[15s])))"),
        EXPONENTIAL: prometheus.by_job(f"histogram_quantile(0.95, sum by (job) (rate({DURATION}[15s])))"),
    }
    risen = prometheus.by_job(f"sum by (job) (increase({CALLS}[15s]))")
    for form in FORMS:
        scraped, pushed = f"scraped-{form}", f"pushed-{form}"
        assert math.isclose(quantiles[form][pushed], quantiles[form][scraped])
        assert 6 < quantiles[form][pushed] < 7
        assert risen[pushed] == pytest.approx(risen[scraped], rel=0.2) == pytest.approx(70, rel=0.3)


def test_a_prometheus_that_was_away_has_every_count_when_it_is_back(ours_and_prometheus, spread, send, until):
    ours, prometheus = ours_and_prometheus
    send(ours, spread(10))
    until(lambda: alike(prometheus, EXPLICIT, 10), ours.log)
    prometheus.stop()
    send(ours, spread(15))
    until(lambda: ours.total(semconv.OTELCOL_SEND_FAILED_METRIC_POINTS.name) > 0, ours.log)
    prometheus.start()
    for form in FORMS:
        until(lambda form=form: alike(prometheus, form, 25), ours.log)
