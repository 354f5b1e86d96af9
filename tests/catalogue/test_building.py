"""What is built of a catalogue is complete and valid, agrees with itself, and is there as a whole or not at all."""

import re

import pytest
import yaml

from llmvitals_collector import assets
from llmvitals_collector.__main__ import main
from llmvitals_collector.catalogue import building, catalogue


@pytest.fixture
def build(tmp_path):
    """`build(catalogue, directory)` builds, and gives the directory."""

    def command(path=None, directory="built"):
        assert (
            main(["catalogue", "build", str(tmp_path / directory), *(["--catalogue", str(path)] if path else [])]) == 0
        )
        return tmp_path / directory

    return command


def contents(directory):
    return {
        file.relative_to(directory).as_posix(): file.read_bytes() for file in directory.rglob("*") if file.is_file()
    }


@pytest.mark.servers
@pytest.mark.parametrize("whose", ["shipped", "own"])
def test_what_is_built_is_valid_to_the_programs_that_read_it(build, own, program, run, whose):
    directory = build(own if whose == "own" else None)
    promtool = program("promtool")
    run(promtool, "check", "rules", "--lint=all", "--lint-fatal", *directory.glob("prometheus/*.*s.yml"))
    run(promtool, "check", "config", directory / "prometheus" / "prometheus.yml")
    run(promtool, "test", "rules", *directory.glob("prometheus/tests/*.yml"))
    run(program("amtool"), "check-config", directory / "alertmanager" / "alertmanager.yml")
    run("sha256sum", "--check", directory / "SHA256SUMS", cwd=directory)
    assert main(["check", str(directory / "collector.yml")]) == 0


@pytest.mark.servers
def test_the_tests_of_floors_fail_where_the_floors_are_others(build, own, program, run):
    directory = build(own)
    rules = directory / "prometheus" / "catalogue.rules.yml"
    rules.write_text(rules.read_text().replace("0.85 * group", "0.01 * group"))
    with pytest.raises(AssertionError, match=r"support\.helpfulness"):
        run(program("promtool"), "test", "rules", *directory.glob("prometheus/tests/*.yml"))


def test_every_rule_board_runbook_and_configuration_is_there(build):
    built = contents(build()).keys()
    rules, boards = assets.prometheus_rules(), assets.grafana_dashboards()
    assert {f"prometheus/{file.name}" for file in (*rules.glob("*.rules.yml"), *rules.glob("*.alerts.yml"))} <= built
    assert {f"grafana/{file.name}" for file in boards.glob("*.json")} <= built
    assert {f"runbooks/{file.name}" for file in rules.glob("runbooks/*.md")} <= built
    assert {f"alertmanager/{file.name}" for file in rules.glob("alertmanager/*")} <= built
    assert {
        "CATALOGUE.md",
        "collector.yml",
        "grafana/provisioning/dashboards/llm.yml",
        "grafana/provisioning/datasources/prometheus.yml",
        "prometheus/prometheus.yml",
        "prometheus/tests/floors.test.yml",
        "SHA256SUMS",
    } <= built


def test_the_shipped_catalogue_builds_the_shipped_rules(build):
    built, folder = build() / "prometheus", assets.prometheus_rules()
    assert {file.name: file.read_text() for file in built.glob("*.yml")} == {
        file.name: file.read_text() for file in folder.glob("*.yml")
    }


def test_objectives_and_shares_are_in_the_collector_s_configuration(build, own):
    sections = yaml.safe_load((build(own) / "collector.yml").read_text())
    assert sections["processors"]["slo"] == {
        "availability": {"objective": 0.99},
        "first_token": {"objective": 0.9, "threshold_seconds": 1.5},
        "duration": {"objective": 0.95, "threshold_seconds": 30.0},
    }
    assert sections["evaluation"]["templates"] == {"support-*": {"share": 0.2}, "faq.v1 (old)": {"share": 0.2}}


def test_links_are_in_alertmanager_s_files(build, own):
    folder = build(own) / "alertmanager"
    assert "- url: https://switch.shop.example/llm\n" in (folder / "alertmanager.yml").read_text()
    addresses = (folder / "addresses.tmpl").read_text()
    assert '{{ define "llm.grafana.address" }}https://grafana.shop.example{{ end }}' in addresses
    assert '{{ define "llm.runbooks.address" }}https://wiki.shop.example/llm{{ end }}' in addresses


def test_the_page_says_what_holds(build, own):
    directory = build(own)
    page = (directory / "CATALOGUE.md").read_text()
    assert "Answers to customers: templates `support-*`, `faq.v1 (old)`. Owner: support-quality." in page
    helpfulness = "| helpfulness | Answers that help | 85 % | 92 % | up to 1d | 200 | warning | support-quality | 4h |"
    assert f"{helpfulness} [support.md](runbooks/support.md) |" in page
    assert '| safety | judge, human |  | flag "old" |' in page
    assert "| first_token | 90 % | 1.5 s |" in page
    assert "| shop | 250.5 |" in page
    assert "LLMSLOBurnRateWarning" not in page
    assert re.search(
        r"^\| \[LLMCollectorDown\]\(.*\) \| \S.* \| 10m \| critical \| web-platform \|$", page, re.MULTILINE
    )
    assert "`cost_factor` 2" in page
    pages = re.findall(r"\]\((runbooks/[^)]+)\)", page)
    assert [linked for linked in pages if not (directory / linked).exists()] == []


def test_twice_gives_the_same_bytes(build, own):
    first = contents(build(own))
    assert contents(build(own)) == first
    assert contents(build(own, "another")) == first


def test_another_catalogue_takes_the_place_of_what_was_built(build, own):
    built = build(own)
    assert (built / "runbooks" / "support.md").exists()
    assert not (build() / "runbooks" / "support.md").exists()
    assert [each.name for each in built.parent.iterdir() if each.name.startswith(".")] == []


@pytest.mark.parametrize(
    ("there", "sentence"),
    [
        ({"notes.txt": "mine"}, "{dir}: holds files, none of which was built; valid: a directory that is new or empty"),
        (
            {"SHA256SUMS": "", "alertmanager/slack_llm": "secret"},
            "{dir}/alertmanager/slack_llm: was not built; move it out of {dir}, which is built as a whole",
        ),
        (
            {"SHA256SUMS": f"{'0' * 64}  collector.yml\n", "collector.yml": "mine"},
            "{dir}/collector.yml: was changed since it was built; change the catalogue, and delete this file",
        ),
    ],
)
def test_what_was_not_built_is_left_alone(tmp_path, capsys, there, sentence):
    directory = tmp_path / "mine"
    for path, text in there.items():
        (directory / path).parent.mkdir(parents=True, exist_ok=True)
        (directory / path).write_text(text)
    assert main(["catalogue", "build", str(directory)]) == 2
    assert capsys.readouterr().err == f"llmvitals: {sentence.format(dir=directory)}\n"
    assert contents(directory) == {path: text.encode() for path, text in there.items()}


def test_a_build_that_fails_leaves_what_was_there(build, own, monkeypatch):
    built = build(own)
    before = contents(built)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(building, "_fill", full)
    assert main(["catalogue", "build", str(built)]) == 1
    assert contents(built) == before
    assert [each.name for each in built.parent.iterdir() if each.name.startswith(".")] == []


def test_a_catalogue_that_lacks_something_is_not_built(tmp_path, written, capsys):
    path = written("alerts: {LLMWatchdock: {enabled: false}}")
    assert main(["catalogue", "build", str(tmp_path / "built"), "--catalogue", str(path)]) == 1
    assert capsys.readouterr().out == f"{path}: alerts: 'LLMWatchdock' is unknown; did you mean 'LLMWatchdog'?\n"
    assert not (tmp_path / "built").exists()


def test_the_catalogue_that_is_shown_is_the_one_to_begin_with(written, capsys):
    assert main(["catalogue", "show"]) == 0
    path = written(capsys.readouterr().out)
    assert main(["catalogue", "lint", str(path)]) == 0
    assert catalogue.read(path, {}) == catalogue.read(catalogue.shipped(), {})


@pytest.mark.parametrize(
    ("text", "code", "told"),
    [
        ("", 0, ""),
        ("alerts: {LLMWatchdock: {}}", 1, "alerts: 'LLMWatchdock' is unknown; did you mean 'LLMWatchdog'?"),
        ("alert: {}", 2, "alert: unknown key; did you mean 'alerts'?"),
        ("a: [", 2, "line 1: expected the node content, but found '<stream end>'"),
    ],
)
def test_lint_answers_with_its_exit_code(written, capsys, text, code, told):
    path = written(text)
    assert main(["catalogue", "lint", str(path)]) == code
    printed = capsys.readouterr()
    assert (printed.out + printed.err).strip() == (
        f"{'llmvitals: ' if code == 2 else ''}{path}: {told}" if told else ""
    )


def test_a_directory_that_cannot_be_is_told(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    for place in (tmp_path / "file", tmp_path / "file" / "built"):
        assert main(["catalogue", "build", str(place)]) in {1, 2}
        assert len(capsys.readouterr().err.splitlines()) == 1
