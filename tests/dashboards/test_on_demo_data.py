"""Every query of the boards, run on the data of the demo: there is something, and it can be true."""

import itertools
import math
import re
import time

import pytest

from llmvitals import semconv
from queries import queries
from sheet_data import QueryError
from sheet_style import legend, properties
from sheet_tables import columns_of

pytestmark = pytest.mark.servers

QUERIES = list(queries({"__rate_interval": "30s", "__interval": "2s", "__range": "60s", "__range_s": "60"}))
PATIENCE = 300  # seconds until everything has data; a minute or so, on a busy machine several
LAG = 6  # seconds after which what was scraped has gone through all rules
# Which expressions stay empty, and why: the demo's minutes are hours here, and not weeks.
LATER = {
    r"offset 7d": "a week ago there was no demo",
    rf"{semconv.RECORDED_DROP}.*window=\"1d\"|{semconv.RECORDED_DROP_Z}.*window=\"1d\"": "nor was there a day before",
    semconv.RECORDED_NEGATIVE_FEEDBACK_Z: "nor were there seven, which a day is compared with",
    semconv.RECORDED_COST_RATE_7D: "what an hour usually costs is known after a day",
    r"^ALERTS.*category=~\"slo\|cost\"": "so few calls are no reason for an alert",
    r"^ALERTS.*category=\"telemetry\"": "nothing is wrong with the demo's collector, once it was scraped",
    r"< scalar\(": "what is of too few answers; after a while nothing is",
    semconv.ANSWER_TOKEN.name: "no model of the demo streams its reasoning",
    r"llm_response_cache_saved": "the demo's cache does not say what a hit saves",
    r"llm_collector_kafka_": "the demo's collector reads no Kafka",
}
# What may be below 0: differences of two rates, and what is left of a budget that was overspent.
SIGNED = re.compile(r"llm_quality_(drop|change)|llm_divergence|budget_left|^0 -|- 1$|^\(?sum.*\) - ")


def values(query, series):
    """Each value with its name, its unit and its labels."""
    ref = query.target.get("refId", "")
    for each in series:
        is_cell = query.panel["type"] == "table"
        name = columns_of(query.panel)[ref] if is_cell else legend(query.target.get("legendFormat", ""), each.labels)
        for _, value in each.points:
            yield name, properties(query.panel, name, ref).get("unit"), frozenset(each.labels.items()), value


def has_data(found):
    return any(not math.isnan(value) for series in found for _, value in series.points)


def is_empty_for_a_reason(query):
    return any(re.search(expression, query.written) for expression in LATER)


@pytest.fixture(scope="module")
def told(demo_data):
    """What first came back for each expression that has something in it; a str is why it was refused."""
    found, waiting = {}, {query.expression: query for query in QUERIES}
    deadline = time.monotonic() + PATIENCE
    while waiting and time.monotonic() < deadline:
        time.sleep(0.5)
        for expression, query in waiting.items():
            found[expression] = answer(demo_data, query, time.time())
        waiting = {
            expression: query
            for expression, query in waiting.items()
            if not isinstance(found[expression], str)
            and not has_data(found[expression])
            and not is_empty_for_a_reason(query)
        }
    return found


@pytest.fixture(scope="module")
def at_once(told, demo_data):
    """What comes back at one moment for each expression of a panel with shares that is not refused."""
    at = time.time() - LAG
    of_shares = [query for query in QUERIES if "percentunit" in str(query.panel) and not refused(told, query)]
    return {query.expression: answer(demo_data, query, at) for query in of_shares}


def answer(demo_data, query, at):
    try:
        return demo_data.answer(query, at)
    except QueryError as error:
        return str(error)


def test_no_query_is_refused(told):
    assert [(query.board, query.place, told[query.expression]) for query in QUERIES if refused(told, query)] == []


def refused(told, query):
    return isinstance(told[query.expression], str)


def test_every_query_returns_data(told):
    wanted = [query for query in QUERIES if not refused(told, query) and not is_empty_for_a_reason(query)]
    empty = [query for query in wanted if not has_data(told[query.expression])]
    assert [(query.board, query.place, query.expression) for query in empty] == []


@pytest.mark.parametrize("expression", LATER)
def test_each_reason_is_one_that_is_needed(expression):
    assert any(re.search(expression, query.written) for query in QUERIES)


def numbers_on_panels(at_once):
    """Each query of a panel, and each of its values with its name, its unit and its labels."""
    for query in QUERIES:
        if query.panel and query.panel["type"] != "heatmap":
            for value in values(query, at_once.get(query.expression, [])):
                yield query, *value


def test_a_share_is_between_0_and_1_unless_it_is_a_change(at_once):
    shares = [
        (query.board, query.place, name, dict(labels), value)
        for query, name, unit, labels, value in numbers_on_panels(at_once)
        if unit == "percentunit" and not math.isnan(value) and not SIGNED.search(query.written)
    ]
    assert len(shares) > 50
    assert [share for share in shares if not -1e-9 <= share[-1] <= 1 + 1e-9] == []


def test_an_interval_contains_its_rate(at_once):
    panels = {}
    for query, name, _, labels, value in numbers_on_panels(at_once):
        panels.setdefault((query.board, query.place), {}).setdefault(name, {})[labels] = value
    intervals = [
        (panel, rate, dict(labels), low, names[rate].get(labels), names[high].get(labels))
        for panel, names in panels.items()
        for rate, lowest, high in named_intervals(names)
        for labels, low in names[lowest].items()
    ]
    assert len(intervals) > 10
    assert [each for each in intervals if not each[3] - 1e-9 <= each[4] <= each[5] + 1e-9] == []


def named_intervals(names):
    """Of the names in a panel, in order, those of a rate, of its lower and of its upper bound."""
    for before, name in itertools.pairwise(names):
        if name == "At least":
            yield before, name, "At most"
    for name in names:
        if name.endswith(" low"):
            rate = name.removesuffix(" low")
            yield rate, name, f"{rate} high"


def test_marks_on_graphs_lead_to_traces(told, demo_data):
    now = time.time()
    wanted = [query for query in QUERIES if query.target.get("exemplar") and not is_empty_for_a_reason(query)]
    assert wanted
    without = [query for query in wanted if not demo_data.server.exemplars(query.expression, now - 120, now)]
    assert [(query.board, query.place, query.target["refId"]) for query in without] == []
