"""The collector's page shows what its metrics say, in a real Chromium."""

import json
import math
import random
import time
import urllib.request

import pytest

from llmvitals import semconv
from llmvitals_collector import rates
from llmvitals_collector.config import Config, GrpcReceiver, HttpReceiver, Metrics, Receivers
from llmvitals_collector.decode import Encoding
from llmvitals_collector.pipeline import Pipeline
from llmvitals_collector.quantiles import histogram_quantile
from llmvitals_collector.receivers import Signal

pytestmark = pytest.mark.browser

FREE = "127.0.0.1:0"
HOSTILE = '<img src=x onerror="window.hurt=1"></td><script>window.hurt=1</script> %s {\'"}'
SHOWN = "document.documentElement.dataset.at"
ENTER = "\ue007"
# Of each text that can be seen: its contrast with what is behind it, as WCAG 2.2 has it, if that is below 4.5.
FAINT = """
  const numbers = (color) => color.match(/[\\d.]+/g).map(Number);
  const light = (color) => {
    const [r, g, b] = numbers(color).map((each) => each / 255)
      .map((each) => (each <= 0.04045 ? each / 12.92 : ((each + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (node) => {
    const color = getComputedStyle(node).backgroundColor;
    return numbers(color)[3] === 0 && node.parentElement ? behind(node.parentElement) : color;
  };
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const faint = new Set();
  while (texts.nextNode()) {
    const node = texts.currentNode.parentElement;
    if (!texts.currentNode.data.trim() || !node.checkVisibility() || node.closest("select, noscript")) continue;
    const [high, low] = [light(getComputedStyle(node).color), light(behind(node))].sort((one, other) => other - one);
    if ((high + 0.05) / (low + 0.05) < 4.5) faint.add(node.tagName + ": " + texts.currentNode.data);
  }
  return [...faint];
"""


def attributes(**told):
    kinds = {str: "stringValue", float: "doubleValue", bool: "boolValue"}
    return [{"key": key, "value": {kinds[type(value)]: value}} for key, value in told.items()]


class Observed:
    """A collector that is sent calls, its page's address, and what its metrics say."""

    def __init__(self) -> None:
        receivers = Receivers(grpc=GrpcReceiver(address=FREE), http=HttpReceiver(address=FREE))
        self.pipeline = Pipeline(Config(receivers=receivers, metrics=Metrics(address=FREE)))
        self.pipeline.start()
        self.url = f"http://127.0.0.1:{self.pipeline.metrics.port}/"

    def calls(self, template, seconds, model="gpt-5", failed=False):
        """One call for each duration."""
        end = time.time_ns()
        told = {semconv.OPERATION_NAME: "chat", semconv.PROVIDER_NAME: "openai", semconv.REQUEST_MODEL: model}
        told |= {semconv.PROMPT_NAME: template, semconv.REQUEST_STREAM: True}
        spans = [
            {
                "traceId": f"{random.getrandbits(128):032x}",
                "spanId": f"{random.getrandbits(64):016x}",
                "name": "chat",
                "kind": 3,
                "startTimeUnixNano": str(end - round(each * 1e9)),
                "endTimeUnixNano": str(end),
                "status": {"code": 2 if failed else 0},
                "attributes": attributes(**told, **{semconv.TIME_TO_FIRST_TOKEN: each / 4}),
            }
            for each in seconds
        ]
        resource = {"attributes": attributes(**{semconv.SERVICE_NAME: "shop"})}
        body = {"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": spans}]}]}
        self.pipeline.intake.take("http", Signal.TRACES, json.dumps(body).encode(), Encoding.JSON)

    def verdicts(self, number, *, template, template_version, dimension, verdict):
        """So many answers, of each of which a judge says the same."""
        told = {
            semconv.PROMPT_NAME: template,
            semconv.PROMPT_VERSION: template_version,
            semconv.EVALUATION_NAME: dimension,
            semconv.EVALUATION_SCORE_LABEL: verdict,
        }
        ids = (f"{random.getrandbits(64):016x}" for _ in range(number))
        records = [
            {
                "timeUnixNano": str(time.time_ns()),
                "eventName": semconv.EVALUATION_RESULT,
                "attributes": attributes(**told, **{semconv.EVALUATION_ID: each}),
            }
            for each in ids
        ]
        body = {"resourceLogs": [{"scopeLogs": [{"logRecords": records}]}]}
        self.pipeline.intake.take("http", Signal.LOGS, json.dumps(body).encode(), Encoding.JSON)

    def metrics(self):
        with urllib.request.urlopen(f"{self.url}metrics") as answer:
            return rates.samples(answer.read().decode())

    def percentile(self, share, family, **labels):
        buckets = {}
        for each in rates.chosen(self.metrics(), f"{family.name}_bucket", labels):
            bound = float(each.labels["le"])
            buckets[bound] = buckets.get(bound, 0) + each.value
        return histogram_quantile(share, buckets)


@pytest.fixture
def observed():
    observed = Observed()
    yield observed
    observed.pipeline.stop()


@pytest.fixture(scope="module")
def crowded():
    """With 200 templates, of three models each."""
    observed = Observed()
    chance = random.Random(3)
    for number in range(200):
        for model in ("gpt-5", "gpt-5-mini", "claude-sonnet-4-5"):
            observed.calls(f"template-{number}", [chance.lognormvariate(0, 0.6) for _ in range(5)], model)
    yield observed
    observed.pipeline.stop()


@pytest.fixture
def show(browser):
    """`show(url)` is the browser before a page that shows something."""

    def opened(url):
        browser.open(url)
        browser.until(SHOWN)
        return browser

    browser.resize(1280, 900)
    yield opened
    browser.prefer("light")


def cells(page, section):
    """A table: the texts of each row's cells."""
    rows = f"[...document.querySelectorAll('#{section} tbody tr')]"
    return page.run(f"return {rows}.map((row) => [...row.cells].map((cell) => cell.textContent))")


def text(page, selector):
    return page.run("return document.querySelector(arguments[0]).textContent", selector)


def milliseconds(text):
    number, unit = text.split()
    return float(number) * {"ms": 1, "s": 1000}[unit]


def test_the_numbers_are_those_of_the_metrics(show, observed):
    chance = random.Random(1)
    for template, median in (("letter", 2.0), ("summary", 0.4)):
        observed.calls(template, [median * chance.lognormvariate(0, 0.5) for _ in range(300)])
    observed.calls("letter", [0.1] * 20, failed=True)
    page = show(observed.url)
    rows = {row[0]: row for row in cells(page, "templates")}
    assert [rows[name][1] for name in ("letter", "summary")] == ["320", "300"]
    assert rows["letter"][2] == "6.3 %"
    for name, row in rows.items():
        for family, first in ((semconv.FIRST_TOKEN, 3), (semconv.DURATION, 6)):
            for share, shown in zip((0.5, 0.95, 0.99), row[first : first + 3], strict=True):
                exact = observed.percentile(share, family, template=name) * 1000
                assert milliseconds(shown) == pytest.approx(exact, rel=0.006)
    total = sum(each.value for each in observed.metrics()[semconv.CALLS.name])
    assert text(page, "#calls .big").strip() == f"{total:.0f}"
    exact = observed.percentile(0.95, semconv.DURATION) * 1000
    assert milliseconds(text(page, "#duration .big").replace("p95", "").strip()) == pytest.approx(exact, rel=0.006)


def test_what_comes_in_is_shown_without_a_reload(show, observed):
    page = show(observed.url)
    assert "Nothing has come in yet" in text(page, "#status")
    assert not page.run("return document.querySelector('.heatmap').checkVisibility()")
    page.run("window.same = true")
    observed.calls("letter", [1.0] * 7)
    page.until("document.querySelector('#calls .big').textContent.trim() === '7'")
    assert page.run("return window.same")
    assert "Nothing has come in yet" not in text(page, "#status")


def test_a_hostile_template_stays_text_everywhere(show, observed):
    observed.calls(HOSTILE, [1.0] * 5)
    page = show(observed.url)
    assert [row[0] for row in cells(page, "templates")] == [HOSTILE]
    page.click("#templates tbody a")
    page.until("new URLSearchParams(location.search).get('var-template')")
    page.until("document.querySelector('#totals-title').textContent.startsWith('The calls that were chosen')")
    assert page.run("return new URLSearchParams(location.search).get('var-template')") == HOSTILE
    assert text(page, "#calls .big").strip() == "5"
    assert page.run("return document.querySelector('select[name=template]').selectedOptions[0].textContent") == HOSTILE
    assert page.run("return [window.hurt ?? null, document.images.length, document.scripts.length]") == [None, 0, 1]


def test_a_link_of_an_alert_shows_what_it_is_about(show, observed):
    observed.calls("letter", [1.0] * 3)
    observed.calls("summary", [1.0] * 4, model="gpt-5-mini")
    observed.calls("summary", [1.0] * 5)
    page = show(f"{observed.url}?var-template=summary&var-model=gpt-5-mini&from=now-1h")
    assert text(page, "#calls .big").strip() == "4"
    assert [row[:2] for row in cells(page, "templates")] == [["summary", "4"]]
    page = show(f"{observed.url}d/llm-latency?var-model=gpt-5")
    assert text(page, "#calls .big").strip() == "8"


def test_the_way_back_leads_to_what_was_shown_before(show, observed):
    observed.calls("letter", [1.0] * 3)
    observed.calls("summary", [1.0] * 4)
    page = show(observed.url)
    page.click("#models tbody a")
    page.until("document.querySelector('#totals-title').textContent.startsWith('The calls that were chosen')")
    page.click("#windows a:last-child")
    page.until("document.querySelector('#totals-title').textContent.endsWith('since the start')")
    page.run("history.back()")
    page.until("document.querySelector('#totals-title').textContent.endsWith('last 1 minute')")
    assert page.run("return location.search") == "?var-model=gpt-5"


def test_a_table_is_sorted_by_the_keyboard_and_says_so(show, observed):
    for template, seconds, calls in (("a", 3.0, 1), ("b", 1.0, 2), ("c", 2.0, 3)):
        observed.calls(template, [seconds] * calls)
    page = show(observed.url)
    assert [row[0] for row in cells(page, "templates")] == ["c", "b", "a"]
    p95_of_duration = "#templates thead tr:last-child th:nth-child(8) button"
    for expected, order in ((["a", "c", "b"], "descending"), (["b", "c", "a"], "ascending")):
        page.type(p95_of_duration, ENTER)
        assert [row[0] for row in cells(page, "templates")] == expected
        assert page.run("return document.querySelector('#templates [aria-sort]').ariaSort") == order
        assert page.run("return document.activeElement.title") == "Duration, p95"


def test_versions_stay_under_what_they_are_versions_of(show, observed):
    """However it is sorted."""
    for dimension, verdicts in (("tone", {"1": "pass", "2": "fail"}), ("clarity", {"1": "fail", "2": "pass"})):
        for version, verdict in verdicts.items():
            told = {"template": "letter", "template_version": version, "dimension": dimension, "verdict": verdict}
            observed.verdicts(20, **told)
    page = show(observed.url)
    versions = ["version 1", "version 2"]
    for heading in ("interval", "rate", "95 %", "known by"):
        place = page.run(
            "return [...document.querySelectorAll('#quality thead th')].findIndex((each) => each.textContent === "
            "arguments[0]) + 1",
            heading,
        )
        page.click(f"#quality thead th:nth-child({place}) button")
        names = [row[0] for row in cells(page, "quality")]
        assert names[1:3] == names[4:6] == versions
        assert {names[0], names[3]} == {"letter: tone", "letter: clarity"}


def test_a_link_keeps_what_has_been_chosen_since_it_was_shown(show, observed):
    observed.calls("letter", [1.0] * 3)
    page = show(observed.url)
    page.click("#windows a:last-child")
    page.until("document.querySelector('#totals-title').textContent.endsWith('since the start')")
    page.click("#templates tbody a")
    page.until("document.querySelector('#totals-title').textContent.startsWith('The calls that were chosen')")
    assert page.run("return location.search") == "?window=all&var-template=letter"


def test_what_has_the_focus_keeps_it_when_new_numbers_come(show, observed):
    observed.calls("letter", [1.0] * 60, failed=True)
    page = show(observed.url)
    page.type("#latency .controls button:last-child", ENTER)
    assert page.run("return document.activeElement.textContent") == "Duration"
    page.run("document.querySelector('#attention a[href^=\"/runbooks\"]').focus()")
    observed.calls("letter", [1.0] * 7, failed=True)
    page.until("document.querySelector('#calls .big').textContent.trim() === '67'")
    assert page.run("return document.activeElement.textContent") == "Runbook"


@pytest.mark.parametrize(("number", "shown"), [(1, "0.1 %"), (997, "99.7 %"), (1000, "100 %")])
def test_a_share_is_not_rounded_to_all_or_nothing(show, observed, number, shown):
    observed.calls("letter", [1.0] * number, failed=True)
    observed.calls("letter", [1.0] * (1000 - number))
    assert text(show(observed.url), "#errors .big").startswith(f"{shown} ")


def test_a_question_that_is_refused_is_told(show, browser, observed):
    browser.open(f"{observed.url}?window=2h")
    browser.until("document.querySelector('#status').textContent.includes('valid: 5m, 1h, all')")


def test_two_hundred_templates_are_there_at_once_and_on_a_phone(show, crowded):
    page = show(crowded.url)
    assert len(cells(page, "templates")) == 200
    took = page.run("return performance.getEntriesByName('shown')[0].startTime")
    print(f"shown after {took:.0f} ms")
    assert took < 5000  # within a second where nobody else uses the machine
    for width in (360, 768, 1280):
        page.resize(width, 800)
        assert page.run("return document.documentElement.scrollWidth <= innerWidth"), width
    page.resize(360, 800)
    assert page.run("return document.querySelector('#first-token').getBoundingClientRect().width > 100")


def test_the_heatmap_says_what_is_pointed_at(show, crowded):
    page = show(crowded.url)
    page.run("""
      const svg = document.querySelector(".heatmap svg"), box = svg.querySelector("rect").getBoundingClientRect();
      const at = {clientX: box.x + box.width / 2, clientY: box.y + box.height / 2, bubbles: true};
      svg.dispatchEvent(new PointerEvent("pointermove", at));
    """)
    assert " calls of " in text(page, "#pointed")


def test_a_link_to_a_part_of_the_page_leads_there(show, crowded):
    page = show(f"{crowded.url}d/llm-quality?window=1h")
    top = "document.querySelector('#quality').getBoundingClientRect()"
    assert page.run(
        f"const {{top, bottom}} = {top}; return top >= -1 && bottom <= innerHeight + 1 || Math.abs(top) < 40"
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_can_be_read_in_the_light_and_in_the_dark(browser, show, crowded, scheme):
    browser.prefer(scheme)
    crowded.calls("broken", [1.0] * 200, failed=True)
    page = show(crowded.url)
    page.until("document.querySelector('#attention .critical')")
    assert page.run(FAINT) == []
    light = page.run("return getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)[0]") > 128
    assert light == (scheme == "light")


def test_tables_have_headings_and_drawings_words(show, crowded):
    page = show(crowded.url)
    assert page.run("return [...document.querySelectorAll('tbody tr')].every((row) => row.cells[0].scope === 'row')")
    unnamed = "[...document.querySelectorAll('svg[role=img], select, [role=region], nav')]"
    assert (
        page.run(
            f"return {unnamed}.filter((each) => !each.ariaLabel && !each.labels?.length && "
            "!each.getAttribute('aria-labelledby')).length"
        )
        == 0
    )


def test_when_the_collector_is_gone_the_page_says_so(show, observed):
    observed.calls("letter", [1.0])
    page = show(observed.url)
    observed.pipeline.stop()
    page.until("document.querySelector('#status').textContent.startsWith('No new numbers (')")
    assert len(cells(page, "templates")) == 1
    assert not math.isnan(float(page.run(f"return Number({SHOWN})")))
