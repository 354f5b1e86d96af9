"""What tests of several folders share."""

import json
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import promql_parser as promql
import pytest
import yaml

from llmvitals import semconv
from llmvitals_collector.demo import alerting

ROOT = Path(__file__).parents[1]
SCRAPED = frozenset({"job", "instance"})  # what Prometheus adds to every series it scrapes
PROMETHEUS_OWN = {
    "up": SCRAPED,
    "scrape_duration_seconds": SCRAPED,
    "scrape_samples_scraped": SCRAPED,
    "process_start_time_seconds": SCRAPED,  # of a process with any of its clients
    "prometheus_rule_evaluation_failures_total": SCRAPED | {"rule_group"},
    "prometheus_rule_group_iterations_missed_total": SCRAPED | {"rule_group"},
    "ALERTS": frozenset(
        {
            *("alertname", "alertstate", "category", semconv.LABEL_SEVERITY, semconv.LABEL_OWNER),
            *(semconv.LABEL_SERVICE, semconv.LABEL_MODEL, semconv.LABEL_TEMPLATE),
        }
    ),
}
# The words before the first colon of a recorded name, which say what labels it keeps.
LEVELS = {
    "slo": (semconv.LABEL_SLO,),
    "release": (semconv.LABEL_KIND, semconv.LABEL_NAME, semconv.LABEL_VERSION),
    "model": (semconv.LABEL_MODEL,),
    "judge": (semconv.LABEL_WINDOW, semconv.LABEL_JUDGE),
    "cache": (semconv.LABEL_WINDOW, semconv.LABEL_CACHE),
    "mode": (semconv.LABEL_MODE,),
    "service": (semconv.LABEL_WINDOW, semconv.LABEL_SERVICE),
    "catalogue": (semconv.LABEL_SERVICE,),
    # What begins with one of these is counted in windows.
    "template": (semconv.LABEL_WINDOW, semconv.LABEL_SERVICE, semconv.LABEL_TEMPLATE),
    "version": (semconv.LABEL_WINDOW, semconv.LABEL_SERVICE, semconv.LABEL_TEMPLATE, semconv.LABEL_TEMPLATE_VERSION),
    "task": (semconv.LABEL_WINDOW, semconv.LABEL_SERVICE, semconv.LABEL_TASK),
    "dimension": (semconv.LABEL_DIMENSION,),
    "source": (semconv.LABEL_SOURCE,),
    "verdict": (semconv.LABEL_VERDICT,),
    "evaluator": (semconv.LABEL_EVALUATOR, semconv.LABEL_RUBRIC),
    "rubric": (semconv.LABEL_RUBRIC,),
    "pair": (semconv.LABEL_JUDGE, semconv.LABEL_HUMAN),
    "people": ("a", "b"),
    "moment": (semconv.LABEL_MOMENT,),
    "kind": (semconv.LABEL_KIND,),
    "outcome": (semconv.LABEL_OUTCOME,),
}
HISTOGRAM_SUFFIXES = ("_bucket", "_count", "_sum")
SLACK_PATIENCE = 120  # seconds


@pytest.fixture(scope="session")
def program() -> Callable[..., str]:
    """`program(name, *other_names)` is the path of an installed program; hint: what installs it.

    Without it the test is skipped, but where the variable CI is set it fails: there nothing may be left out.
    """

    def find(*names: str, hint: str = ".ci/setup servers") -> str:
        for name in names:
            if path := shutil.which(name):
                return path
        missing = f"needs {' or '.join(names)}, which `{hint}` installs"
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)

    return find


@pytest.fixture(scope="session")
def kafka_broker(program: Callable[..., str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A Kafka broker that runs: kafka_broker.Broker of tests/kafka."""
    from kafka_broker import Broker

    jars = ROOT / ".cache" / "kafka"
    if not jars.is_dir():
        program("the jars of Kafka", hint=".ci/setup kafka")
    broker = Broker(program("java", hint=".ci/setup kafka"), jars, tmp_path_factory.mktemp("kafka"))
    try:
        broker.start()
        yield broker
    finally:
        broker.kill()


# ---- A stand-in for Slack, and the shipped Alertmanager configuration that posts to it ---------------


class Slack(ThreadingHTTPServer):
    """Answers every POST with ok and keeps its path and JSON body, in order.

    failing: titles of messages that it fails to take once.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _KeepPost)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.posts: list[tuple[str, dict]] = []
        self.failing: set[str] = set()
        self.changed = threading.Condition()

    def titles(self, path: str) -> list[str]:
        """Titles of the messages that came to this webhook."""
        return [body["attachments"][0]["title"] for posted, body in self.posts if posted == path]

    def message(self, path: str, title: str, meanwhile: Callable[[], object] = lambda: None) -> dict:
        """The first message with this title at this webhook; waits for it.

        meanwhile: done again and again until it is there.
        """
        self._wait(lambda: title in self.titles(path), f"{title} at {path}", meanwhile)
        return next(b["attachments"][0] for p, b in self.posts if p == path and b["attachments"][0]["title"] == title)

    def tells_of(self, fired: dict) -> bool:
        """Whether a message has the summary of an alert that a test has fired."""
        told = [body["attachments"][0]["text"] for _, body in self.posts if "attachments" in body]
        return any(fired["annotations"]["summary"] in text for text in told)

    def wait_until_told(self, fired: dict) -> None:
        self._wait(lambda: self.tells_of(fired), f"{fired['annotations']['summary']}")

    def wait_for_posts(self, path: str, count: int) -> None:
        """Wait until this many more came to a webhook."""
        wanted = count + self._posts_to(path)
        self._wait(lambda: self._posts_to(path) >= wanted, f"{count} more at {path}")

    def _posts_to(self, path: str) -> int:
        return sum(posted == path for posted, _ in self.posts)

    def _wait(self, condition: Callable[[], bool], what: str, meanwhile: Callable[[], object] = lambda: None) -> None:
        deadline = time.monotonic() + SLACK_PATIENCE
        while time.monotonic() < deadline:
            meanwhile()
            with self.changed:
                if self.changed.wait_for(condition, 0.5):
                    return
        raise AssertionError(f"{what} did not come; came: {self.posts}")


class _KeepPost(BaseHTTPRequestHandler):
    server: Slack

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with self.server.changed:
            title = body["attachments"][0]["title"] if "attachments" in body else ""
            if fails := title in self.server.failing:
                self.server.failing.remove(title)
            else:
                self.server.posts.append((self.path, body))
            self.server.changed.notify_all()
        self.send_response(500 if fails else 200)
        self.end_headers()
        self.wfile.write(b"rollup_error" if fails else b"ok")

    def log_message(self, *arguments):
        pass


@pytest.fixture(scope="session")
def slack() -> Iterator[Slack]:
    server = Slack()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="session")
def alertmanager_configuration(slack) -> Callable[[Path], dict[str, Any]]:
    """`alertmanager_configuration(folder)` is the shipped one: only addresses, secrets and times are the tests' own."""

    def configuration(folder: Path) -> dict[str, Any]:
        config = alerting.configuration(folder, lambda channel: f"{slack.url}/{channel}", "1s", "500ms")
        config["route"]["routes"][0]["repeat_interval"] = "500ms"  # the watchdog's
        config["receivers"][-1]["webhook_configs"][0]["url"] = f"{slack.url}/switch"
        return config

    return configuration


# ---- The names that rules and boards may use ----------------------------------------------------------


@pytest.fixture(scope="session")
def rule_groups() -> list[dict]:
    """Every group of every rule file, as parsed YAML."""
    files = sorted((ROOT / "prometheus_rules").glob("*.yml"))
    return [group for file in files for group in yaml.safe_load(file.read_text()).get("groups", [])]


@pytest.fixture(scope="session")
def labels_of(rule_groups) -> dict[str, frozenset[str]]:
    """Label names by name of each series that exists: exposed, recorded, or of Prometheus itself."""
    known = dict(PROMETHEUS_OWN)
    for family in semconv.FAMILIES:
        known[family.name] = SCRAPED.union(family.labels)
        if family.kind == "histogram":
            known |= {family.name + suffix: known[family.name] | {"le"} for suffix in HISTOGRAM_SUFFIXES}
    for rule in (rule for group in rule_groups for rule in group["rules"] if "record" in rule):
        level = rule["record"].partition(":")[0]
        kept = {label for word in level.split("_") for label in LEVELS[word]}
        # Several rules may record one name.
        known[rule["record"]] = known.get(rule["record"], frozenset()).union(kept, rule.get("labels", ()))
    return known


@pytest.fixture(scope="session")
def unknown_names(labels_of) -> Callable[[str], set[str]]:
    """`unknown_names(expression)` is the metrics and labels in a PromQL expression that no series has."""

    def unknown(expression: str) -> set[str]:
        nodes = list(_nodes(promql.parse(expression)))
        selectors = [node for node in nodes if isinstance(node, promql.VectorSelector)]
        found = {selector.name for selector in selectors} - labels_of.keys()
        for selector in selectors:
            matched = {matcher.name for matcher in selector.matchers.matchers}
            found |= matched - labels_of.get(selector.name, frozenset())
        kept = frozenset().union(*(labels_of.get(selector.name, frozenset()) for selector in selectors))
        return found | ({label for node in nodes for label in _grouping(node)} - kept)

    return unknown


def _nodes(expression: promql.Expr) -> Iterator[promql.Expr]:
    """An expression and every expression inside it."""
    nodes: list[promql.Expr] = []
    promql.walk(expression, nodes.append)
    return iter(nodes)


def _grouping(node: promql.Expr) -> list[str]:
    """The labels after `by`, `without`, `on`, `ignoring` and `group_left`."""
    if isinstance(node, promql.AggregateExpr) and node.modifier:
        return node.modifier.labels
    if isinstance(node, promql.BinaryExpr) and node.modifier and node.modifier.matching:
        return node.modifier.matching.labels
    return []
