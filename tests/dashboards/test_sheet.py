"""The contact sheet: what a board's panels look like, drawn from what a Prometheus says."""

import json
import math
import re
import subprocess
import sys
import threading
import urllib.parse
import xml.etree.ElementTree as ET
import zlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

import pictures
import sheet
from queries import FOLDER
from sheet_data import Bucket, NotAnsweredError, QueryError, Series, Server, buckets_by_time
from sheet_graphs import Axis, Line, Span, axis, graph, heatmap, runs, stacked
from sheet_style import legend, level_colour, mapped, properties
from sheet_tables import numbers, table, text, unknown_transformations
from sheet_units import known, shown

SPAN = Span(0, 100, 10)


class Prometheus(ThreadingHTTPServer):
    """Answers each query as `answers` says: a result, or a str for what is wrong with it."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Answer)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.answers = {}


class _Answer(BaseHTTPRequestHandler):
    server: Prometheus

    def do_POST(self):
        asked = urllib.parse.parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        if not self.path.startswith("/api/v1/"):
            self.send_error(404)
            return
        found = self.server.answers.get(asked["query"][0], [])
        kind = "matrix" if self.path.endswith("range") else "vector"
        data = found if self.path.endswith("exemplars") else {"resultType": kind, "result": found}
        wrong = isinstance(found, str)
        body = json.dumps(
            {"status": "error", "error": found} if wrong else {"status": "success", "data": data}
        ).encode()
        self.send_response(400 if wrong else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


@pytest.fixture
def prometheus():
    with Prometheus() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def board(*panels):
    for number, panel in enumerate(panels):
        panel.setdefault("gridPos", {"x": 0, "y": 8 * number, "w": 12, "h": 8})
    return {
        "uid": "b",
        "title": "A board",
        "description": "What?",
        "templating": {"list": []},
        "annotations": {"list": []},
        "panels": list(panels),
    }


def panel(kind="timeseries", expression="up", **more):
    target = {"expr": expression, "refId": "A", "legendFormat": "{{job}}", "instant": kind in ("stat", "table")}
    return {"type": kind, "title": "Panel", "description": "Why?", "targets": [target], **more}


def line(points, name="line", **style):
    return Line(name, points, {key.replace("__", "."): value for key, value in style.items()}, "#123456")


def drawn(prometheus, *panels):
    return sheet.page(board(*panels), Server(prometheus.url), last=100, end=100, scrape_interval=10)


def shapes(svg, tag):
    return [each for each in ET.fromstring(svg).iter() if each.tag == tag]


# ---- A page ------------------------------------------------------------------------------------------


def test_a_panel_shows_its_title_its_question_its_legend_and_its_line(prometheus):
    prometheus.answers["up"] = [{"metric": {"job": "shop <1>"}, "values": [[0, "1"], [10, "2"], [20, "1"]]}]
    page = drawn(prometheus, panel())
    assert "<h3>Panel</h3>" in page
    assert "Why?" in page
    assert "shop &lt;1&gt;</span>" in page
    assert page.count("<polyline") == 1


def test_a_panel_without_data_says_so_and_so_does_one_whose_values_are_none(prometheus):
    prometheus.answers["0/0"] = [{"metric": {}, "values": [[0, "NaN"]]}]
    assert drawn(prometheus, panel(), panel(expression="0/0"), panel("table"), panel("stat")).count("no data") == 4


def test_what_prometheus_refuses_is_said_in_the_panel_and_the_others_are_drawn(prometheus):
    prometheus.answers |= {"bad(": "parse error: <unclosed>", "up": [{"metric": {}, "value": [100, "3"]}]}
    page = drawn(prometheus, panel(expression="bad("), panel("stat"))
    assert "Prometheus refuses it: parse error: &lt;unclosed&gt;" in page
    assert "<b>3</b>" in page


def test_what_is_not_drawn_is_named(prometheus):
    prometheus.answers["up"] = [{"metric": {}, "value": [100, "3"]}]
    page = drawn(prometheus, panel("piechart"), panel("table", transformations=[{"id": "groupBy", "options": {}}]))
    assert "not drawn: a panel of the type piechart" in page
    assert "not drawn: the transformations groupBy" in page


def test_a_page_says_that_it_is_a_sketch_and_needs_nothing_from_elsewhere(prometheus):
    page = drawn(prometheus, panel())
    assert "A sketch, drawn from Prometheus without Grafana" in page
    assert not re.search(r"(src|href|url\()\s*=?\s*[\"'(]?https?:", page)


def test_a_panel_is_repeated_for_each_value_of_its_variable(prometheus):
    prometheus.answers["count by (job) (up)"] = [{"metric": {"job": name}, "value": [0, "1"]} for name in ("b", "a")]
    repeated = board(panel(expression='up{job="$job"}', title="Up: $job", repeat="job"))
    variable = {"name": "job", "type": "query", "query": "label_values(up, job)", "allValue": ".*"}
    repeated["templating"]["list"] = [variable | {"current": {"value": ["$__all"]}}]
    page = sheet.page(repeated, Server(prometheus.url), last=100, end=100, scrape_interval=10)
    assert re.findall("<h3>(.*?)</h3>", page) == ["Up: a", "Up: b"]


def test_events_are_marked_where_they_begin_or_where_their_value_says(prometheus):
    prometheus.answers |= {
        "ALERTS": [{"metric": {"alertname": "Slow"}, "values": [[20, "1"], [30, "1"], [80, "1"]]}],
        "release": [{"metric": {"version": "4"}, "values": [[90, "55000"], [100, "55000"]]}],
        "up": [{"metric": {}, "values": [[0, "1"]]}],
    }
    marked = board(panel())
    marked["annotations"]["list"] = [
        {"expr": "ALERTS", "titleFormat": "{{alertname}}"},
        {"expr": "release", "titleFormat": "{{version}}", "useValueForTime": True},
    ]
    page = sheet.page(marked, Server(prometheus.url), last=100, end=100, scrape_interval=10)
    texts = re.findall(r'class="event".*?<title>(\w+)', page)
    assert sorted(texts) == ["4", "Slow", "Slow"]


# ---- Graphs ------------------------------------------------------------------------------------------


def test_where_there_is_no_value_there_is_a_gap():
    points = [(0, 1.0), (10, 2.0), (20, math.nan), (30, 3.0), (60, 4.0), (70, 5.0)]
    assert list(runs(points, 10)) == [[(0, 1.0), (10, 2.0)], [(30, 3.0)], [(60, 4.0), (70, 5.0)]]
    svg = graph([line(points)], SPAN, {}, 400, 200)
    assert (len(shapes(svg, "polyline")), len(shapes(svg, "circle"))) == (2, 1)


def test_a_stack_stands_on_what_is_below_and_a_part_without_a_value_adds_nothing():
    stack = {"custom__stacking": {"mode": "normal", "group": "A"}}
    low, high = stacked([line([(0, 1.0), (10, 2.0)], **stack), line([(0, 3.0), (10, math.nan), (20, 4.0)], **stack)])
    assert low.points == [(0, 1.0), (10, 2.0)]
    assert high.points == [(0, 4.0), (20, 4.0)]
    assert high.floor == {0: 1.0, 20: 0.0}


def test_a_band_is_filled_down_to_the_line_that_it_names():
    high = line([(0, 0.9), (10, 0.8)], "high", custom__fillBelowTo="low")
    svg = graph([line([(0, 0.5), (10, 0.4)], "low"), high], SPAN, {}, 400, 200)
    (band,) = shapes(svg, "polygon")
    assert len(band.get("points").split()) == 4


def test_bars_stand_on_an_axis_of_their_own():
    bars = line([(0, 500.0), (10, 1000.0)], "n", custom__drawStyle="bars", custom__axisPlacement="right", min=0)
    svg = graph([line([(0, 0.5), (10, 0.6)], min=0), bars], SPAN, {}, 400, 200)
    first, second = (float(each.get("height")) for each in shapes(svg, "rect"))
    assert second == pytest.approx(2 * first, abs=0.2)
    assert {"1K", "0.6"} <= {each.text for each in shapes(svg, "text")}


def test_thresholds_are_lines_and_the_axis_reaches_them():
    steps = {"steps": [{"value": None, "color": "green"}, {"value": 4, "color": "red"}]}
    style = {"thresholds": steps, "custom__thresholdsStyle": {"mode": "dashed"}}
    svg = graph([line([(0, 1.0), (10, 2.0)], **style)], SPAN, {}, 400, 200)
    assert len([each for each in shapes(svg, "line") if each.get("stroke") == "#E02F44"]) == 1
    assert axis([line([(0, 1.0)], **style)], 100).high >= 4


def test_an_axis_may_be_logarithmic_and_has_round_ticks():
    assert Axis(0, 10, 100, "s").ticks() == [0, 2.5, 5, 7.5, 10]
    powers = axis([line([(0, 0.01), (10, 100.0)], custom__scaleDistribution={"type": "log"})], 100)
    assert powers.ticks() == [0.01, 0.1, 1, 10, 100]
    assert powers.up(1) == pytest.approx((powers.up(0.1) + powers.up(10)) / 2)


@pytest.mark.parametrize("value", [0.0, 7.0, -3.0])
def test_one_value_alone_is_drawn(value):
    assert len(shapes(graph([line([(0, value)])], SPAN, {}, 400, 200), "circle")) == 1


def test_cumulative_buckets_and_a_native_histogram_are_the_same_heatmap():
    classic = [Series({"le": le}, [(0, count)]) for le, count in (("1", 2.0), ("+Inf", 7.0), ("2", 5.0))]
    native = [Series({}, [(0, 7.0)], [(0, [Bucket(0, 1, 2), Bucket(1, 2, 3), Bucket(2, math.inf, 2)])])]
    assert buckets_by_time(classic) == buckets_by_time(native)
    cells = shapes(heatmap(buckets_by_time(classic), SPAN, "s", 400, 200), "rect")
    assert len(cells) == 3


# ---- Tables, numbers, text ---------------------------------------------------------------------------

RANKED = {
    "fieldConfig": {"defaults": {"unit": "short"}, "overrides": [
        {"matcher": {"id": "byName", "options": "Share"}, "properties": [{"id": "unit", "value": "percentunit"}]}
    ]},
    "options": {"sortBy": [{"displayName": "Share", "desc": True}]},
    "transformations": [
        {"id": "merge"},
        {"id": "organize", "options": {"excludeByName": {"Time": True}, "renameByName": {"Value #A": "Share"}}},
    ],
    "targets": [{"refId": "A"}, {"refId": "B"}],
}  # fmt: skip


def column(name, *values):
    return [Series({"template": f"t{number}"}, [(0, value)]) for number, value in enumerate(values)]


def test_rows_are_joined_by_their_labels_and_sorted_with_those_without_a_value_last():
    answers = [(RANKED["targets"][0], column("A", 0.1, math.nan, 0.9)), (RANKED["targets"][1], column("B", 5, 6))]
    html = table(RANKED, answers)
    assert re.findall("<th.*?>(.*?)</th>", html.replace("<thead>", "")) == ["template", "Share", "Value #B"]
    rows = [re.findall("<td.*?>(.*?)</td>", row) for row in html.split("<tr>")[2:]]
    assert rows == [["t2", "90 %", ""], ["t0", "10 %", "5"], ["t1", "-", "6"]]


def test_a_long_table_says_how_many_rows_it_leaves_out():
    html = table(RANKED, [(RANKED["targets"][0], column("A", *(n / 100 for n in range(20))))])
    assert html.count("<tr>") == 16
    assert "and 5 more rows" in html
    assert unknown_transformations(RANKED) == []


def test_a_number_has_the_colour_of_its_threshold_and_the_text_of_its_mapping():
    steps = [{"value": None, "color": "red"}, {"value": 0.5, "color": "green"}]
    mappings = [{"type": "value", "options": {"2": {"text": "two", "color": "blue"}}}]
    style = {"fieldConfig": {"defaults": {"thresholds": {"steps": steps}, "mappings": mappings}}}
    coloured = panel("stat", **style, options={"colorMode": "value"})
    html = numbers(coloured, [(coloured["targets"][0], [Series({"job": "a"}, [(0, 0.7)]), Series({}, [(0, 2.0)])])])
    assert re.findall(r'color:(.*?)">(.*?)<', html) == [("#56A64B", "0.7"), ("#3274D9", "two")]
    assert level_colour(0.1, properties(coloured, "x")) == "#E02F44"
    coloured["fieldConfig"]["defaults"]["color"] = {"mode": "fixed", "fixedColor": "text"}
    assert "color:currentColor" in numbers(coloured, [(coloured["targets"][0], [Series({}, [(0, 0.1)])])])
    assert mapped(3.0, properties(coloured, "x")) == ("", "")


def test_text_is_markdown_and_never_markup():
    content = "## Read\n\nOne **bold**\nline `x<y`\n\n- first\n- second <b>"
    html = text({"options": {"content": content}})
    assert html == (
        '<div class="text"><h4>Read</h4><p>One <b>bold</b> line <code>x&lt;y</code></p>'
        "<ul><li>first</li><li>second &lt;b&gt;</li></ul></div>"
    )


@pytest.mark.parametrize(
    ("matcher", "name", "matches"),
    [
        ({"id": "byName", "options": "n"}, "n", True),
        ({"id": "byRegexp", "options": "/^n( |$)/"}, "n duration", True),
        ({"id": "byRegexp", "options": "n"}, "n duration", False),
        ({"id": "byFrameRefID", "options": "A"}, "any", True),
        ({"id": "byType", "options": "string"}, "any", False),
    ],
)
def test_an_override_is_for_those_fields_that_grafana_would_take(matcher, name, matches):
    override = {"matcher": matcher, "properties": [{"id": "unit", "value": "s"}]}
    config = {"fieldConfig": {"defaults": {"unit": "short", "custom": {"lineWidth": 2}}, "overrides": [override]}}
    assert properties(config, name, "A") == {"unit": "s" if matches else "short", "custom.lineWidth": 2}


def test_a_series_without_a_pattern_is_called_by_its_labels():
    assert legend("", {"__name__": "up", "job": "a"}) == 'up{job="a"}'
    assert legend("{{job}} p95", {"job": "a"}) == "a p95"
    assert legend("{{nobody}}", {}) == "value"


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.0123, "s", "12.3 ms"),
        (1.5, "s", "1.5 s"),
        (90, "s", "1.5 min"),
        (0, "s", "0 s"),
        (0.9512, "percentunit", "95.1 %"),
        (12345, "short", "12.3K"),
        (0.0004, "currencyUSD", "$0.0004"),
        (-3, "currencyUSD", "-$3"),
        (3, "suffix: tokens/s", "3 tokens/s"),
        (2048, "bytes", "2 KiB"),
        (0, "dateTimeAsIso", "1970-01-01 00:00"),
        (math.nan, "s", "-"),
        (math.inf, "s", "∞"),
    ],
)
def test_a_value_reads_as_people_write_it(value, unit, text):
    assert shown(value, unit) == text


def test_every_unit_of_the_boards_can_be_shown():
    units = {
        unit
        for file in FOLDER.glob("*.json")
        for unit in re.findall(r'"unit": "(.*?)"|"id": "unit",\s*"value": "(.*?)"', file.read_text())
        for unit in unit
    }
    assert {unit for unit in units if not known(unit)} == set()


# ---- The command ---------------------------------------------------------------------------------------


def run(*arguments):
    command = [sys.executable, FOLDER / "sheet.py", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--board", "llm-latencies"], "sheet: there is no board 'llm-latencies'; the nearest is 'llm-latency'"),
        (["--last", "yesterday"], "'yesterday' is not a duration, such as 15m, 6h or 7d"),
        (["--last", "0m"], "'0m' is not a duration, such as 15m, 6h or 7d"),
        ([], "sheet: no Prometheus answers at http://127.0.0.1:1"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(arguments, said):
    done = run("--prometheus", "http://127.0.0.1:1", *arguments)
    assert done.returncode != 0
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_something_else_at_the_address_is_no_prometheus(prometheus):
    with pytest.raises(NotAnsweredError, match="no Prometheus answers"):
        Server(prometheus.url.replace("http", "https")).at("up", 0)
    done = run("--prometheus", f"{prometheus.url}/elsewhere")
    assert (done.returncode, done.stderr) == (
        1,
        f"sheet: no Prometheus answers at {prometheus.url}/elsewhere: HTTP status 404\n",
    )


def test_what_prometheus_refuses_is_no_missing_prometheus(prometheus):
    prometheus.answers["up"] = "too many samples"
    with pytest.raises(QueryError, match="too many samples"):
        Server(prometheus.url).at("up", 0)


def test_a_page_is_written_for_each_board(prometheus, tmp_path):
    done = run("--prometheus", prometheus.url, "--out", str(tmp_path / "new"), "--last", "1h")
    assert (done.returncode, done.stderr) == (0, "")
    boards = {file.stem for file in FOLDER.glob("*.json")}
    assert {Path(line.removeprefix("wrote ")).stem for line in done.stdout.splitlines()} == boards
    assert {file.stem for file in (tmp_path / "new").glob("*.html")} == boards


def test_a_picture_keeps_the_colour_of_a_thin_line():
    """As https://www.w3.org/TR/png-3/ has it: eight bytes, then chunks with a length, a name, data and a checksum."""
    pixels = np.full((20, 30, 3), 244, np.uint8)
    pixels[10, 5:25] = (224, 47, 68)
    written = pictures.png(pixels)
    chunks, at = {}, 8
    while at < len(written):
        length = int.from_bytes(written[at : at + 4])
        name, data = written[at + 4 : at + 8], written[at + 8 : at + 8 + length]
        assert int.from_bytes(written[at + 8 + length : at + 12 + length]) == zlib.crc32(name + data)
        chunks[name], at = data, at + 12 + length
    assert list(chunks) == [b"IHDR", b"PLTE", b"IDAT", b"IEND"]
    palette = np.frombuffer(chunks[b"PLTE"], np.uint8).reshape(-1, 3)
    rows = np.frombuffer(zlib.decompress(chunks[b"IDAT"]), np.uint8).reshape(20, 31)
    assert (palette[rows[:, 1:]] == pixels).all()
