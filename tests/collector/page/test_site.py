"""What the metrics port serves to people: the page, its data, and the runbooks; and nothing else of the disk."""

import gzip
import json
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from msgspec.structs import replace

from llmvitals_collector import assets
from llmvitals_collector.config import ConfigError
from llmvitals_collector.page import runbooks
from llmvitals_collector.pipeline import Pipeline

FILES = ("/", "/page.css", "/page.js", "/charts.js", "/tables.js", "/icon.svg")


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *arguments):
        return None


@pytest.fixture
def get(collector):
    """`get(path, **headers)` is status, headers and body."""
    opener = urllib.request.build_opener(_NoRedirect)

    def ask(path, **headers):
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        request = urllib.request.Request(f"http://127.0.0.1:{collector.metrics.port}{path}", headers=names)
        try:
            with opener.open(request, timeout=30) as answer:
                return answer.status, answer.headers, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.headers, error.read()

    return ask


@pytest.mark.parametrize("path", FILES)
def test_a_file_is_served_once_and_then_known(get, path):
    status, headers, plain = get(path)
    assert status == 200
    assert gzip.decompress(get(path, accept_encoding="gzip")[2]) == plain
    assert get(path, if_none_match=headers["etag"])[0] == 304


@pytest.mark.parametrize("path", [*FILES, "/vitals.json", "/runbooks/", "/runbooks/LLMCollectorDown.md", "/runbooks/x"])
def test_nothing_but_our_own_files_may_run(get, path):
    _, headers, _ = get(path, accept="text/html")
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"


def test_the_page_loads_nothing_from_elsewhere_and_has_no_code_of_its_own(get):
    for path in FILES:
        text = get(path)[2].decode().replace("http://www.w3.org/2000/svg", "")
        assert "http://" not in text
        assert "https://" not in text
    page = get("/")[2].decode()
    assert "<script>" not in page
    assert "style=" not in page
    assert "innerHTML" not in "".join(get(path)[2].decode() for path in FILES)


def test_the_data_is_json_compressed_on_request(get):
    status, headers, body = get("/vitals.json?window=1h", accept_encoding="gzip")
    assert (status, headers["content-type"], headers["cache-control"]) == (200, "application/json", "no-store")
    assert json.loads(gzip.decompress(body))["window"] == "1h"
    assert json.loads(get("/vitals.json")[2])["window"] == "5m"


def test_pages_that_ask_the_same_get_the_same(get):
    assert len({get("/vitals.json")[2] for _ in range(3)}) == 1


def test_a_question_that_makes_no_sense_is_answered_with_a_sentence(get):
    status, _, body = get("/vitals.json?window=year")
    assert (status, body) == (400, b"the window 'year' is unknown; valid: 5m, 1h, all\n")


def test_a_path_that_there_is_not_is_told_with_those_that_there_are(get):
    status, _, body = get("/nothing")
    assert status == 404
    for path in ("/,", "/metrics", "/healthz", "/readyz", "/debug", "/runbooks/", "/vitals.json"):
        assert path in body.decode().replace("/, ", "/, ") + ","


def test_a_link_to_a_board_leads_to_the_page_where_there_is_no_grafana(get):
    status, headers, _ = get("/d/llm-quality?var-template=letter")
    assert (status, headers["location"]) == (302, "/?var-template=letter#quality")


def test_without_a_page_there_is_none(config):
    pipeline = Pipeline(replace(config, metrics=replace(config.metrics, page=False)))
    pipeline.start()
    try:
        with pytest.raises(urllib.error.HTTPError, match="404") as told:
            urllib.request.urlopen(f"http://127.0.0.1:{pipeline.metrics.port}/")
        told.value.close()
    finally:
        pipeline.stop()


def test_a_catalogue_that_cannot_be_read_is_told_with_its_key(config):
    with pytest.raises(ConfigError, match=r"^metrics\.catalogue: .*nowhere\.yaml"):
        Pipeline(replace(config, metrics=replace(config.metrics, catalogue="nowhere.yaml")))


# ---- Runbooks -----------------------------------------------------------------------------------------


def test_a_runbook_is_text_for_a_terminal_and_a_page_for_a_browser(get):
    path = assets.prometheus_rules() / "runbooks" / "LLMCollectorDown.md"
    assert get("/runbooks/LLMCollectorDown.md")[2].decode() == path.read_text()
    _, headers, body = get("/runbooks/LLMCollectorDown.md", accept="text/html,*/*;q=0.8")
    assert headers["content-type"].startswith("text/html")
    assert b"<h1>LLMCollectorDown</h1>" in body
    assert b"<strong>What it means.</strong>" in body


def test_every_runbook_is_in_the_list(get):
    listed = get("/runbooks/", accept="text/html")[2].decode()
    names = [path.stem for path in (assets.prometheus_rules() / "runbooks").glob("*.md")]
    assert names
    assert all(f'<a href="/runbooks/{name}.md">{name}</a>' in listed for name in names)


@pytest.mark.parametrize(
    "name",
    [
        "../README",
        "..%2FREADME",
        "%2e%2e/README",
        "/etc/passwd",
        "LLMCollectorDown/../../README",
        "nothing",
        ".",
        "%00",
    ],
)
def test_nothing_but_runbooks_is_read(get, name):
    status, _, body = get(f"/runbooks/{name}.md")
    assert status in (400, 404)
    assert b"# Prometheus rules" not in body


@pytest.mark.parametrize(
    ("markdown", "written"),
    [
        ("# A *b*", "<h1>A <em>b</em></h1>"),
        ("one\ntwo\n\nthree", "<p>one two</p>\n<p>three</p>"),
        ("- one\n  more\n- two", "<ul><li>one more</li><li>two</li></ul>"),
        ("1. one\n2. two", "<ol><li>one</li><li>two</li></ol>"),
        ("text:\n- one", "<p>text:</p>\n<ul><li>one</li></ul>"),
        ("**a `b*c*` d**", "<p>**a <code>b*c*</code> d**</p>"),
        ("a * b * c", "<p>a * b * c</p>"),
        ("```\n<a>\n\n- b\n```", "<pre><code>&lt;a&gt;\n\n- b</code></pre>"),
        ("[x](https://example.com/a)", '<p><a href="https://example.com/a">x</a></p>'),
        ("[x](javascript:alert(1))", "<p>[x](javascript:alert(1))</p>"),
        ("<img onerror=alert(1)>", "<p>&lt;img onerror=alert(1)&gt;</p>"),
    ],
)
def test_markdown_becomes_html_as_far_as_runbooks_have_any(markdown, written):
    page = runbooks.page("t", markdown)
    assert page.partition("runbooks</a></p>\n")[2].removesuffix("</main></html>\n") == written


def test_every_shipped_runbook_is_written_without_a_mark_left_over():
    for path in Path(assets.prometheus_rules() / "runbooks").glob("*.md"):
        page = runbooks.page(path.stem, path.read_text())
        assert "**" not in page, path
        assert "`" not in page, path
        assert "<p>|" not in page, path
