"""A real Chromium, driven over WebDriver, before the example's page, its app and a collector."""

import json
import os
import re
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from types import SimpleNamespace

import pytest
from prometheus_client import parser

from llmvitals import semconv
from llmvitals_collector.config import Config, Cors, FeedbackReceiver, GrpcReceiver, HttpReceiver, Metrics, Receivers
from llmvitals_collector.demo.behaviour import Behaviour
from llmvitals_collector.demo.provider import Provider
from llmvitals_collector.expose import Format
from llmvitals_collector.pipeline import Pipeline

APP = Path(__file__).parents[2] / "examples" / "feedback_page" / "app.py"
FREE = "127.0.0.1:0"
PATIENCE_MS = 20_000
# https://www.w3.org/TR/webdriver2/#elements
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
# A script that waits in the page, frame by frame, until an expression is true there.
UNTIL = (
    "const done = arguments[0]; (function look() { const found = (%s); found ? done(found) : setTimeout(look, 5); })()"
)


class Browser:
    """One window of Chromium. https://www.w3.org/TR/webdriver2/"""

    def __init__(self, driver: str, chromium: str) -> None:
        options = ["--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-background-networking"]
        wanted = {"goog:chromeOptions": {"binary": chromium, "args": options}}
        self._url = f"{driver}/session"
        session = self._ask("POST", "", {"capabilities": {"alwaysMatch": wanted}})["sessionId"]
        self._url += f"/{session}"
        self._ask("POST", "/timeouts", {"script": PATIENCE_MS, "pageLoad": PATIENCE_MS})

    def open(self, url: str) -> None:
        self._ask("POST", "/url", {"url": url})

    def run(self, script: str, *arguments: object) -> object:
        """What a function body in JavaScript returns, or what the promise resolves to that it returns."""
        return self._ask("POST", "/execute/sync", {"script": script, "args": arguments})

    def until(self, expression: str) -> object:
        """Wait until an expression in JavaScript is true; returns its value."""
        return self._ask("POST", "/execute/async", {"script": UNTIL % expression, "args": []})

    def click(self, selector: str) -> None:
        """As a user does: with the mouse, and only where the element can be seen."""
        self._ask("POST", f"/element/{self._find(selector)}/click", {})

    def type(self, selector: str, text: str) -> None:
        self._ask("POST", f"/element/{self._find(selector)}/value", {"text": text})

    def offline(self, offline: bool) -> None:
        """Chromium's own command: as if the network were away."""
        network = {"offline": offline, "latency": 0, "throughput": -1}
        self._ask("POST", "/chromium/network_conditions", {"network_conditions": network})

    def prefer(self, scheme: str) -> None:
        """Chromium's own command: what the page is told that its user prefers, light or dark."""
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self._ask("POST", "/goog/cdp/execute", {"cmd": "Emulation.setEmulatedMedia", "params": {"features": features}})

    def resize(self, width: int, height: int) -> None:
        self._ask("POST", "/window/rect", {"width": width, "height": height})

    def close(self) -> None:
        self._ask("DELETE", "")

    def _find(self, selector: str) -> str:
        found = self._ask("POST", "/element", {"using": "css selector", "value": selector})
        return found[ELEMENT]

    def _ask(self, method: str, path: str, body: object = None) -> object:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._url + path, data, {"content-type": "application/json"}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            with error:
                raise AssertionError(json.load(error)["value"]["message"]) from None


@pytest.fixture(scope="session")
def browser(program):
    chromium = program("chromium", "chromium-browser")
    command = [program("chromedriver"), "--port=0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as driver:
        try:
            port = next(found[1] for line in driver.stdout if (found := re.search(r"on port (\d+)\.", line)))
            window = Browser(f"http://127.0.0.1:{port}", chromium)
            yield window
            window.close()
        finally:
            driver.terminate()


@pytest.fixture(scope="session")
def collector():
    """A collector that takes feedback from pages of this host's address, and of no other name of it."""
    feedback = FeedbackReceiver(cors=Cors(allowed_origins=("http://127.0.0.1:*",)))
    receivers = Receivers(grpc=GrpcReceiver(address=FREE), http=HttpReceiver(address=FREE), feedback=feedback)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(semconv.HANDLE_KEY, "key-of-the-tests-that-is-long-enough")
        pipeline = Pipeline(Config(receivers=receivers, metrics=Metrics(address=FREE)))
        pipeline.start()
        yield pipeline
        pipeline.stop()


@pytest.fixture(scope="session")
def app(collector):
    """The example, as it is, in a process of its own: its `url`, and that of the `collector`."""
    collector_url = f"http://127.0.0.1:{collector.http.port}"
    with Provider(Behaviour()) as provider:
        environment = os.environ | {
            "OTEL_EXPORTER_OTLP_ENDPOINT": collector_url,
            "OTEL_SERVICE_NAME": "shop",
            "OPENAI_BASE_URL": f"{provider.url}/v1",
            "OPENAI_API_KEY": "any",
            "PORT": "0",
        }
        command = [sys.executable, APP]
        with subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        ) as running:
            try:
                yield SimpleNamespace(url=running.stdout.readline().strip(), collector=collector_url)
            finally:
                running.terminate()


@pytest.fixture
def page(browser, app):
    """The browser, before the page with an answer."""
    browser.open(app.url)
    browser.type("[name=question]", "Where is my parcel?")
    browser.click("#ask button")
    browser.until("document.querySelector('article').dataset.handle")
    return browser


@pytest.fixture
def rises(collector):
    """`rises()` is by how much each kind of feedback, and each outcome, has risen since it was last asked."""

    def counts():
        text = b"".join(collector.render(Format.TEXT)).decode()
        wanted = {semconv.FEEDBACK.name: semconv.LABEL_KIND, semconv.COLLECTOR_FEEDBACK.name: semconv.LABEL_OUTCOME}
        samples = [each for family in parser.text_string_to_metric_families(text) for each in family.samples]
        return {each.labels[wanted[each.name]]: each.value for each in samples if each.name in wanted}

    before = counts()

    def since():
        nonlocal before
        now = counts()
        risen = {name: now[name] - before.get(name, 0) for name in now if now[name] != before.get(name, 0)}
        before = now
        return risen

    return since
