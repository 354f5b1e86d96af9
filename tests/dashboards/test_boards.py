"""The dashboards: the JSON is what the generator writes, Grafana's own schema, and readable for whoever is on call."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard

import generate
from llmvitals import semconv
from queries import filled_in, opened, panels, queries

FOLDER = Path(generate.__file__).parent
BOARDS = {file.stem: json.loads(file.read_text()) for file in sorted(FOLDER.glob("*.json"))}
EVERYTHING = [pytest.param(p, id=f"{uid}: {p['title']}") for uid, board in BOARDS.items() for p in panels(board)]
# What shows data, and what explains it.
PANELS, TEXTS = ([each for each in EVERYTHING if (each.values[0]["type"] == "text") == told] for told in (False, True))
QUERIES = [pytest.param(query, id=f"{query.board}: {query.place} {n}") for n, query in enumerate(queries())]
GRAPHS = {"timeseries", "heatmap"}
COLLECTOR = "llm-collector"


def run_generator(*arguments: str, folder: Path = FOLDER) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, folder / "generate.py", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def leaves(value, path: str = "") -> dict[str, object]:
    """Every value in a JSON document by its path."""
    if isinstance(value, dict):
        return {k: v for key, item in value.items() for k, v in leaves(item, f"{path}.{key}").items()} or {path: {}}
    if isinstance(value, list):
        return {k: v for n, item in enumerate(value) for k, v in leaves(item, f"{path}[{n}]").items()} or {path: []}
    return {path: value}


def through_the_schema(board: dict) -> dict:
    """A board as Grafana's models understand it: what they do not know is gone."""
    register_default_plugins()
    return json.loads(json.dumps(Dashboard.from_json(board), cls=JSONEncoder))


def test_the_committed_files_are_what_the_generator_writes():
    assert {file.name: file.read_text() for file in FOLDER.glob("*.json")} == {
        file.name: text for file, text in generate.generated().items()
    }


def test_check_names_the_file_that_is_out_of_date_and_writing_repairs_it(tmp_path):
    for file in FOLDER.iterdir():
        if file.suffix in {".py", ".json"}:
            (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "llm-latency.json").write_text("{}")
    found = run_generator("--check", folder=tmp_path)
    assert (found.returncode, found.stderr.splitlines()) == (
        1,
        ["llm-latency.json is out of date: run python grafana_dashboards/generate.py"],
    )
    assert run_generator(folder=tmp_path).stdout == "wrote llm-latency.json\n"
    assert run_generator("--check", folder=tmp_path).returncode == 0


@pytest.mark.parametrize("uid", BOARDS)
def test_grafanas_schema_knows_every_key(uid):
    assert leaves(BOARDS[uid]).items() <= leaves(through_the_schema(BOARDS[uid])).items()


def test_the_schema_finds_a_misspelt_key():
    board = json.loads((FOLDER / "llm-latency.json").read_text())
    board["panels"][0]["fieldConfig"]["defaults"]["unitt"] = "s"
    lost = leaves(board).keys() - leaves(through_the_schema(board)).keys()
    assert lost == {".panels[0].fieldConfig.defaults.unitt"}


@pytest.mark.parametrize("uid", BOARDS)
def test_a_board_can_be_found_and_linked_to(uid):
    board = BOARDS[uid]
    assert (board["uid"], board["schemaVersion"], board["tags"]) == (uid, 42, ["llm"])
    assert board["description"]
    assert [(link["tags"], link["includeVars"], link["keepTime"]) for link in board["links"]] == [(["llm"], True, True)]


@pytest.mark.parametrize("uid", BOARDS)
def test_ids_and_titles_are_unique_in_a_board(uid):
    everything = [*BOARDS[uid]["panels"], *(p for row in BOARDS[uid]["panels"] for p in row.get("panels", []))]
    for key in ("id", "title"):
        values = [panel[key] for panel in everything]
        assert len(values) == len(set(values))


@pytest.mark.parametrize("uid", BOARDS)
def test_panels_fill_the_grid_without_overlapping(uid):
    taken = set()
    for panel in panels(BOARDS[uid]):
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken
        assert max(x for x, _ in cells) < 24
        taken |= cells


@pytest.mark.parametrize("uid", BOARDS)
def test_each_choice_offers_what_the_ones_before_it_leave(uid):
    source, *variables = BOARDS[uid]["templating"]["list"]
    assert (source["type"], source["query"]) == ("datasource", "prometheus")
    names = ["instance"] if uid == COLLECTOR else ["service", "model", "template"]
    assert [variable["name"] for variable in variables[: len(names)]] == names
    for n, choice in enumerate(variables[: len(names)]):
        assert (choice["multi"], choice["includeAll"], choice["allValue"]) == (True, True, ".*")
        assert [name for name in names if f"${name}" in choice["query"]] == names[:n]


@pytest.mark.parametrize("uid", BOARDS)
def test_a_board_marks_the_releases_of_what_is_chosen_and_the_alerts_about_it(uid):
    """A release is marked when it came, which is the value of its metric, and not when somebody first looked."""
    *releases, alerts = BOARDS[uid]["annotations"]["list"]
    assert len(releases) == (uid != COLLECTOR)
    for annotation in releases:
        assert (annotation["useValueForTime"], annotation["step"], annotation["tagKeys"]) == (True, "60s", "kind")
        for kind, variable in {"app": "service", "prompt": "template", "model": "model"}.items():
            assert f'kind="{kind}", name=~"${variable}"' in annotation["expr"]
        assert annotation["expr"].endswith("* 1000")  # Grafana has milliseconds
    assert alerts["expr"].startswith('ALERTS{alertstate="firing", category')
    assert 'severity!="none"' in alerts["expr"]


@pytest.mark.parametrize("panel", PANELS)
def test_a_panel_says_what_it_answers_in_which_unit_from_which_data_source(panel):
    assert panel["title"]
    assert "?" in panel["description"]
    assert panel["fieldConfig"]["defaults"]["unit"]
    assert panel["datasource"] == {"type": "prometheus", "uid": "$datasource"}
    references = [target["refId"] for target in panel["targets"]]
    assert len(references) == len(set(references)) > 0
    if panel["type"] == "timeseries":
        assert panel["options"]["legend"]["showLegend"]
        assert panel["options"]["tooltip"]["mode"] == "multi"


@pytest.mark.parametrize("panel", [panel for panel in PANELS if not panel.id.startswith(COLLECTOR)])
def test_a_panel_says_which_choices_do_not_change_it(panel):
    asked = " ".join(target["expr"] for target in panel["targets"])
    told = re.search(r"Of all ([a-z, ]+)\.$", panel["description"])
    assert {name for name in ("service", "model", "template") if f"${name}" not in asked} == {
        name.removesuffix("s") for name in re.findall(r"\w+s\b", told[1] if told else "")
    }


@pytest.mark.parametrize("panel", TEXTS)
def test_an_explanation_is_short_enough_to_be_read(panel):
    assert 40 < len(panel["options"]["content"].split()) < 180
    assert "datasource" not in panel


@pytest.mark.parametrize("panel", PANELS)
def test_what_concerns_some_lines_is_written_as_a_pattern_that_grafana_searches(panel):
    """Without slashes it would have to match a whole name."""
    matchers = [override["matcher"] for override in panel["fieldConfig"]["overrides"]]
    patterns = [matcher["options"] for matcher in matchers if matcher["id"] == "byRegexp"]
    assert all(re.fullmatch("/.+/", pattern) for pattern in patterns)


@pytest.mark.parametrize("panel", PANELS)
def test_graphs_adapt_their_window_to_the_zoom_and_numbers_cover_the_whole_range(panel):
    for target in panel["targets"]:
        windows = set(re.findall(r"\[(.+?)\]", target["expr"]))
        # Where the reader chooses a window for what is recorded, it is that of the numbers, too.
        assert windows <= ({"$__rate_interval"} if panel["type"] in GRAPHS else {"$__range", "$window"})
        assert target.get("instant", False) == (panel["type"] not in GRAPHS)


@pytest.mark.parametrize("panel", PANELS)
def test_a_ratio_shows_how_many_it_is_made_of(panel):
    """In its own panel, or in the row of its table."""
    ratios = [target for target in panel["targets"] if "> 0)" in target["expr"]]
    legends = [target.get("legendFormat", "") for target in panel["targets"]]
    columns = [o["matcher"]["options"] for o in panel["fieldConfig"]["overrides"] if panel["type"] == "table"]
    assert not ratios or {"Calls", "n"}.intersection(columns) or any(legend.split()[:1] == ["n"] for legend in legends)


@pytest.mark.parametrize("panel", [panel for panel in PANELS if panel.id.startswith("llm-latency: ")])
def test_a_graph_of_seconds_leads_to_traces_of_single_calls(panel):
    """But not its objective, the number of calls, gaps in them, or what was a week ago, whose traces are gone."""
    if panel["type"] == "timeseries" and panel["fieldConfig"]["defaults"]["unit"] == "s":
        for target in panel["targets"]:
            of_calls = "histogram_quantile" in target["expr"] and not panel["title"].endswith("a week ago")
            of_calls = of_calls and semconv.CHUNK_GAPS.name not in target["expr"]
            assert target["exemplar"] == of_calls


@pytest.mark.parametrize("panel", [panel for panel in PANELS if panel.values[0]["type"] == "table"])
def test_a_table_begins_with_what_needs_attention_first(panel):
    columns = {o["matcher"]["options"] for o in panel["fieldConfig"]["overrides"]}
    assert panel["options"]["sortBy"]
    assert {order["displayName"] for order in panel["options"]["sortBy"]} <= columns


@pytest.mark.parametrize("panel", [panel for panel in PANELS if panel.values[0]["type"] == "table"])
def test_every_column_of_a_table_gets_its_name(panel):
    """Grafana calls them `Value #A`, `Value #B`, ..., but `Value` if there is only one."""
    references = [target["refId"] for target in panel["targets"]]
    called = ["Value"] if len(references) == 1 else [f"Value #{reference}" for reference in references]
    (organised,) = [t["options"] for t in panel["transformations"] if t["id"] == "organize"]
    assert list(organised["renameByName"]) == called


@pytest.mark.parametrize("query", QUERIES)
def test_a_mean_is_shown_of_money_only(query):
    """Money adds up. Of durations and tokens a mean hides the tail that users meet."""
    assert not re.search(r"\bavg\b|histogram_avg|avg_over_time", query.written)
    assert all(name.startswith(semconv.CALL_COST.name) for name in re.findall(r"\w+_sum\b", query.written))


@pytest.mark.parametrize("query", QUERIES)
def test_a_query_is_promql_with_names_that_exist(query, unknown_names):
    assert unknown_names(query.expression) == set()


@pytest.mark.parametrize("query", QUERIES)
def test_durations_are_those_of_successful_calls(query):
    if semconv.DURATION.name in query.written:
        assert query.written.count('outcome="ok"') == query.written.count(semconv.DURATION.name)


@pytest.mark.parametrize("query", QUERIES)
def test_only_the_board_about_collectors_depends_on_which_was_scraped(query):
    """There, every query but those about Prometheus' own work is about the collectors that are chosen."""
    if query.board != COLLECTOR:
        assert not re.search(r"\b(job|instance)\b", query.written)
    elif not re.match("variable|annotation|Rules that failed", query.place):
        assert 'instance=~"$instance"' in query.written or semconv.CATALOGUE_THRESHOLD in query.written


def test_grafana_is_told_of_prometheus_alertmanager_traces_and_boards():
    """A click on an exemplar leads to the trace whose id is in the label that the collector writes."""
    provisioning = FOLDER / "provisioning"
    sources = yaml.safe_load((provisioning / "datasources" / "prometheus.yml").read_text())
    prometheus, alertmanager = sources["datasources"]
    assert (prometheus["type"], alertmanager["type"]) == ("prometheus", "alertmanager")
    assert prometheus["jsonData"]["alertmanagerUid"] == alertmanager["uid"]
    traces = prometheus["jsonData"]["exemplarTraceIdDestinations"]
    assert [destination["name"] for destination in traces] == [semconv.LABEL_TRACE_ID]
    scraped = yaml.safe_load((FOLDER.parent / "prometheus_rules" / "prometheus.yml").read_text())["global"]
    assert prometheus["jsonData"]["timeInterval"] == scraped["scrape_interval"]
    (provider,) = yaml.safe_load((provisioning / "dashboards" / "llm.yml").read_text())["providers"]
    assert (provider["folder"], provider["type"]) == ("LLM", "file")


def test_a_variable_without_a_value_is_reported():
    with pytest.raises(KeyError, match="nobody"):
        filled_in('up{job="$nobody"}', opened(BOARDS["llm-latency"]))
