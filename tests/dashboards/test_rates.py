"""Rates on the boards: the numbers are Python's, a band is filled, a row leads somewhere, and no query is ambiguous."""

import json
import re
import subprocess
from pathlib import Path

import promql_parser as promql
import pytest
import yaml

import cost
import generate
import rates
from llmvitals import semconv
from llmvitals_collector.statistics import hajek, wilson
from queries import filled_in, opened, panels, queries

BOARDS = {file.stem: json.loads(file.read_text()) for file in sorted(Path(generate.__file__).parent.glob("*.json"))}
PANELS = {f"{uid}: {panel['title']}": panel for uid, board in BOARDS.items() for panel in panels(board)}
BANDS = [name for name, panel in PANELS.items() if "fillBelowTo" in json.dumps(panel)]
TABLES = [name for name, panel in PANELS.items() if panel["type"] == "table"]
LINKS = [
    pytest.param(uid, panel, link, id=f"{uid}: {panel['title']} {n}")
    for uid, board in BOARDS.items()
    for panel in panels(board)
    for n, override in enumerate(panel.get("fieldConfig", {"overrides": ()})["overrides"])
    for each in override["properties"]
    if each["id"] == "links"
    for link in each["value"]
]
CHOSEN = {**opened(BOARDS["llm-quality"]), "__rate_interval": "1h"}
THRESHOLD = f'{semconv.CATALOGUE_THRESHOLD}{{threshold="quality_drop_n"}}'
OF_SLICE = 'window="1d", service_name="shop", template="{}", dimension="safety"'
OF_VERSION = OF_SLICE + ', template_version="1", source="judge"'


@pytest.fixture
def promtool(program, tmp_path):
    """`promtool(series, expected)` is what promtool says of expressions' values, by labels; nothing if they are so.

    series: values that do not change, by name with labels.
    """

    def run(series, expected):
        cases = [
            {"expr": filled_in(expression, CHOSEN), "eval_time": "2h", "exp_samples": samples}
            for expression, samples in expected
        ]
        inputs = [{"series": name, "values": f"{value}x4"} for name, value in series.items()]
        file = tmp_path / "rates.test.yml"
        file.write_text(
            yaml.safe_dump({"tests": [{"interval": "30m", "input_series": inputs, "promql_expr_test": cases}]})
        )
        return subprocess.run([program("promtool"), "test", "rules", file], capture_output=True, text=True, timeout=120)

    return run


def rounded(rate, estimate, labels="{}"):
    """What a test expects of a rate and its bounds, to six digits."""
    return [
        (f"round({expression}, 0.000001)", [{"labels": labels, "value": round(value, 6)}])
        for expression, value in zip(rate, (estimate.rate, estimate.low, estimate.high, estimate.n), strict=True)
    ]


def test_the_rate_of_several_templates_is_that_of_all_their_verdicts_together(promtool):
    """Each verdict weighs as many answers as it stands for; n is Kish's of all of them."""
    weights = {"a": (200.0, 400.0, 150.0), "b": (90.0, 90.0, 89.0), "c": (1000.0, 50000.0, 700.0)}
    series = {}
    for template, sums in weights.items():
        labels = OF_VERSION.format(template)
        estimate = hajek(*sums)
        series[f"{semconv.RECORDED_WEIGHT}{{{labels}}}"] = sums[0]
        series[f"{semconv.RECORDED_QUALITY}{{{labels}}}"] = estimate.rate
        series[f"{semconv.RECORDED_QUALITY_N}{{{labels}}}"] = estimate.n
    together = hajek(*(sum(column) for column in zip(*weights.values(), strict=True)))
    done = promtool(series, rounded(rates.quality(semconv.LABEL_SOURCE), together, '{source="judge"}'))
    assert done.returncode == 0, done.stdout


def test_feedback_is_counted_per_answer_with_the_interval_of_wilson(promtool):
    of = 'window="1d", service_name="shop", template="a", template_version="1"'
    series = {
        f"{semconv.RECORDED_RESPONSES}{{{of}}}": 400,
        f'{semconv.RECORDED_FEEDBACK_EVENTS}{{{of}, source="user", kind="thumb_down"}}': 12,
        f'{semconv.RECORDED_FEEDBACK_EVENTS}{{{of}, source="heuristic", kind="rephrase"}}': 8,
        f'{semconv.RECORDED_FEEDBACK_EVENTS}{{{of}, source="user", kind="thumb_up"}}': 30,
    }
    thumbs = rates.feedback(of=(semconv.LABEL_KIND,), where='kind="thumb_down"')
    done = promtool(
        series,
        [
            *rounded(rates.feedback(), wilson(20, 400)),
            *rounded(thumbs, wilson(12, 400), '{kind="thumb_down"}'),
        ],
    )
    assert done.returncode == 0, done.stdout


def test_failures_are_a_share_of_the_answers_that_came_or_should_have(promtool):
    of = 'window="1d", service_name="shop", template="{}"'
    series = {
        f"{semconv.RECORDED_ANSWERS_N}{{{of.format('a')}}}": 100,
        f"{semconv.RECORDED_ANSWERS_N}{{{of.format('b')}}}": 300,
        f'{semconv.RECORDED_FAILURES_N}{{{of.format("a")}, mode="timeout"}}': 10,
    }
    of_template = '{service_name="shop", template="a", mode="timeout"}'
    done = promtool(
        series,
        [
            *rounded(rates.failures(), wilson(10, 400), '{mode="timeout"}'),
            *rounded(rates.failures(semconv.LABEL_SERVICE, semconv.LABEL_TEMPLATE), wilson(10, 100), of_template),
        ],
    )
    assert done.returncode == 0, done.stdout


def test_a_useful_answer_costs_what_all_versions_cost_by_all_that_were_useful(promtool):
    """Of a version without feedback nobody knows what was useful, so its cost is left out, too."""
    series = {}
    for version, of in {"1": (0.01, 100, 0.1), "2": (0.02, 300, 0.2), "3": (5.0, 100, None)}.items():
        labels = f'{{window="7d", service_name="shop", template="a", template_version="{version}"}}'
        names = (semconv.RECORDED_COST_PER_RESPONSE, semconv.RECORDED_RESPONSES, semconv.RECORDED_NEGATIVE_FEEDBACK)
        series |= {name + labels: value for name, value in zip(names, of, strict=True) if value is not None}
    useful = 100 * 0.9 + 300 * 0.8
    expected = {"labels": '{template="a"}', "value": round((100 * 0.01 + 300 * 0.02) / useful, 6)}
    done = promtool(series, [(f"round({cost.PER_USEFUL}, 0.000001)", [expected])])
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("low", "high", "n", "verdict"),
    [
        (0.70, 0.79, 100, rates.BELOW),
        (0.75, 0.85, 100, rates.UNSURE),
        (0.81, 0.90, 100, rates.HOLDS),
        (0.10, 0.70, 29, rates.TOO_FEW),
    ],
)
def test_a_rate_is_below_its_floor_when_its_whole_interval_is(promtool, low, high, n, verdict):
    """Nothing is said of template b, which has no floor."""
    of = OF_VERSION.format("a")
    rate = {
        semconv.RECORDED_QUALITY: (low + high) / 2,
        semconv.RECORDED_QUALITY_LOW: low,
        semconv.RECORDED_QUALITY_HIGH: high,
        semconv.RECORDED_QUALITY_N: n,
    }
    series = {
        **{f"{name}{{{OF_VERSION.format(template)}}}": value for name, value in rate.items() for template in "ab"},
        f'{semconv.CATALOGUE_FLOOR}{{{OF_SLICE.format("a")}, catalogue_metric="x.safety", owner="us"}}': 0.8,
        THRESHOLD: 30,
    }
    without_window = of.partition(", ")[2]
    done = promtool(
        series,
        [
            (
                rates.verdict(rates.known(semconv.RECORDED_QUALITY, *rates.OF_VERSION)),
                [{"labels": f"{{{without_window}}}", "value": verdict}],
            )
        ],
    )
    assert done.returncode == 0, done.stdout


def test_no_query_is_ambiguous_whatever_series_there_are(promtool, labels_of):
    """With two values of each label, of every metric that a board asks for: Prometheus refuses what matches twice."""
    times = {"__rate_interval": "1h", "__interval": "1h", "__range": "1h", "__range_s": "3600"}
    asked = [query.expression for query in queries(times)]
    done = promtool(two_of_each(asked, labels_of), [(expression, []) for expression in asked])
    # All that promtool finds wrong is that there is a value.
    assert re.findall(r", err: .*", done.stderr) == []
    assert done.stderr.count("got: {") > len(asked) / 2


def test_that_test_finds_an_ambiguous_query(promtool, labels_of):
    asked = [f"{semconv.RECORDED_QUALITY} * on (template) {semconv.RECORDED_QUALITY_N}"]
    done = promtool(two_of_each(asked, labels_of), [(asked[0], [])])
    assert ", err: " in done.stderr


def two_of_each(expressions, labels_of):
    """Series with two values of each label that a query could group by, and with those that its matchers ask for."""
    wanted = {}
    for expression in expressions:
        for selector in selectors(expression):
            matched = wanted.setdefault(selector.name, {})
            for matcher in selector.matchers.matchers:
                if matcher.op in (promql.MatchOp.Equal, promql.MatchOp.Re) and "*" not in matcher.value:
                    matched.setdefault(matcher.name, set()).update(matcher.value.split("|"))
    series = {}
    for name, matched in wanted.items():
        values = {
            label: sorted(matched[label]) if label in matched else ["1", "2"]
            for label in sorted(labels_of[name] - {"job"})
        }
        first = {label: some[0] for label, some in values.items()}
        # What matches twice differs in one label at least, so one at a time is enough.
        for labels in [first, *({**first, label: other} for label, some in values.items() for other in some[1:])]:
            of = ", ".join(f'{label}="{value}"' for label, value in labels.items())
            series[f"{name}{{{of}}}"] = 0.5
    return series


def selectors(expression):
    found = []

    def keep(node):
        if isinstance(node, promql.VectorSelector):
            found.append(node)
        return True

    promql.walk(promql.parse(expression), keep)
    return found


@pytest.mark.parametrize("name", BANDS)
def test_a_band_is_filled_between_its_bounds_which_are_no_lines_of_their_own(name):
    panel = PANELS[name]
    legends = {target["legendFormat"] for target in panel["targets"]}
    of = next(legend for legend in legends if f"{legend} low" in legends and f"{legend} high" in legends)
    overrides = {o["matcher"]["options"]: o["properties"] for o in panel["fieldConfig"]["overrides"]}
    bands = semconv.SOURCES if of == "{{source}}" else (of,)
    for band in bands:
        assert {"id": "custom.fillBelowTo", "value": f"{band} low"} in overrides[f"{band} high"]
    assert {"id": "custom.lineWidth", "value": 0} in overrides["/ (low|high)$/"]
    assert any(legend.startswith("n") for legend in legends)


@pytest.mark.parametrize("name", TABLES)
def test_a_table_of_rates_has_both_bounds_and_is_sorted_by_the_one_that_tells_what_is_surely_bad(name):
    """Of what is good, the lowest lower bound is first; of what is bad, the highest."""
    names = [each["options"]["renameByName"] for each in PANELS[name]["transformations"] if each["id"] == "organize"]
    columns = set(names[0].values())
    if "At least" in columns:
        assert {"At most", "n"} <= columns
        assert any(order["displayName"] in {"At least", "At most"} for order in PANELS[name]["options"]["sortBy"])


@pytest.mark.parametrize(("uid", "panel", "link"), LINKS)
def test_a_click_leads_to_a_board_that_has_these_variables_and_keeps_the_others(uid, panel, link):
    path, _, query = link["url"].partition("?")
    target = path.removeprefix("/d/")
    known = {variable["name"] for variable in BOARDS[target]["templating"]["list"]}
    here = {variable["name"] for variable in BOARDS[uid]["templating"]["list"]}
    kept, chosen = set(re.findall(r"\$\{(\w+):queryparam\}", query)), set(re.findall(r"var-(\w+)=", query))
    assert kept <= here & known
    assert chosen <= known
    assert not kept & chosen
    assert {"datasource", "service", "model", "template"} <= kept | chosen
    assert query.endswith("${__url_time_range}")
    for label in re.findall(r"__data\.fields\.(\w+)", query):
        assert all(label in target["expr"] for target in panel["targets"])
