"""What a catalogue lacks is told, each in one line with its path."""

import pytest

from llmvitals_collector.catalogue import catalogue, linting

METRICS = """
      helpfulness: {says: x, floor: 0.8, target: 0.9}
      tone: {says: x, floor: 0.8, target: 0.9}
      safety: {says: x, floor: 0.8, target: 0.9}
"""
NO_PAGE = "{!r} is no runbook; valid: a .md file in the catalogue's folder or of those that ship, or an address"
FEATURE = f"""
  a:
    owner: somebody
    runbook: pages/support.md
    templates: [a-*]
    metrics: {METRICS}
"""


@pytest.fixture
def findings(read, tmp_path):
    return lambda text: list(linting.findings(read(text), tmp_path))


def test_the_shipped_catalogue_lacks_nothing():
    shipped = catalogue.shipped()
    assert list(linting.findings(catalogue.read(shipped, {}), shipped.parent)) == []


def test_a_complete_feature_lacks_nothing(findings):
    assert findings(f"features: {FEATURE}") == []


@pytest.mark.parametrize(
    ("good", "bad", "finding"),
    [
        (
            "tone: {says: x, floor: 0.8, target: 0.9}",
            "",
            "features.a.metrics: are 2; valid: at least 3 dimensions of quality",
        ),
        (
            "safety:",
            "relevance:",
            "features.a.metrics: none is about safety; valid: at least one of safety, privacy, policy, refusal_correct,"
            " fairness_gap",
        ),
        ("tone:", "tome:", None),
        (
            "helpfulness:",
            "helpfullness:",
            "features.a.metrics.helpfullness: is no dimension that ships; did you mean 'helpfulness'?",
        ),
        (
            "tone: {says: x",
            "tone: {says: ''",
            "features.a.metrics.tone: does not say what it is; valid: a sentence under `says`",
        ),
        (
            "tone: {says: x, floor: 0.8",
            "tone: {says: x, floor: 0.95",
            "features.a.metrics.tone.floor: 0.95 is above the target, 0.9",
        ),
        (
            "tone: {",
            "tone: {runbook: pages/tone.md, ",
            f"features.a.metrics.tone.runbook: {NO_PAGE.format('pages/tone.md')}",
        ),
        ("tone: {", "tone: {runbook: runbooks/LLMCollectorDown.md, ", None),
        ("tone: {", "tone: {runbook: 'https://wiki.example/tone', ", None),
        (
            "runbook: pages/support.md",
            "runbook: pages",
            f"features.a.runbook: {NO_PAGE.format('pages')}",
        ),
        (
            "tone: {",
            "tone: {sources: [juge], ",
            "features.a.metrics.tone.sources: 'juge' is unknown; did you mean 'judge'?",
        ),
        (
            "tone: {",
            "tone: {failure_modes: [irelevant], ",
            "features.a.metrics.tone.failure_modes: 'irelevant' is unknown; did you mean 'irrelevant'?",
        ),
        (
            "tone:",
            "yes:",
            "features.a.metrics: True is no name; valid: one line of printable text, in quotes where YAML needs them",
        ),
    ],
)
def test_what_a_feature_lacks(findings, good, bad, finding):
    assert good in FEATURE
    assert findings(f"features: {FEATURE.replace(good, bad)}") == ([finding] if finding else [])


@pytest.mark.parametrize(("key", "thing"), [("owner: somebody", "owner"), ("runbook: pages/support.md", "runbook")])
def test_each_metric_has_an_owner_and_a_runbook(findings, key, thing):
    assert findings(f"features: {FEATURE.replace(key, '')}") == [
        f"features.a.metrics.{dimension}: has no {thing}, nor has its feature"
        for dimension in ("helpfulness", "tone", "safety")
    ]


def test_two_runbooks_of_one_name_are_told_as_one_would_be_lost(findings, tmp_path):
    (tmp_path / "support.md").write_text("# Another one\n")
    mixed = FEATURE.replace("tone: {", "tone: {runbook: support.md, ")
    assert findings(f"features: {mixed}") == [
        f"features.a.metrics.tone: its runbook {tmp_path}/support.md has the name of another,"
        f" {tmp_path}/pages/support.md; valid: other names"
    ]
    assert findings(f"features: {mixed.replace('runbook: support.md', 'runbook: pages/../pages/support.md')}") == []


def test_a_runbook_is_no_file_of_another_folder_nor_of_another_kind(findings, tmp_path, tmp_path_factory):
    """Whatever it names is copied to where everybody reads it."""
    private = tmp_path_factory.mktemp("private") / "notes.md"
    private.write_text("for nobody")
    (tmp_path / "link.md").symlink_to(private)
    (tmp_path / "secret.env").write_text("TOKEN=1")
    for told in (str(private), f"../{private.parent.name}/notes.md", "link.md", "secret.env"):
        named = FEATURE.replace("tone: {", f"tone: {{runbook: {told}, ")
        assert findings(f"features: {named}") == [f"features.a.metrics.tone.runbook: {NO_PAGE.format(told)}"]


def test_a_feature_may_have_a_dot_in_its_name(findings):
    named = FEATURE.replace("  a:", "  shop.v2:").replace("tone: {says: x", "tone: {says: ''")
    assert findings(f"features: {named}") == [
        "features.shop.v2.metrics.tone: does not say what it is; valid: a sentence under `says`"
    ]


def test_a_template_has_one_floor_in_a_dimension(findings):
    other = FEATURE.replace("  a:", "  b:").replace("a-*", "'*-b'").replace("tone", "privacy")
    assert findings(f"features: {FEATURE}{other}") == [
        f"features.b.metrics.{dimension}: its templates '*-b' and those of a.{dimension}, 'a-*', have 'a-b' in common;"
        " valid: one feature for a template"
        for dimension in ("helpfulness", "safety")
    ]


def test_a_feature_for_every_template_leaves_to_others_what_is_theirs_but_there_is_one_of_its_kind(findings):
    every = FEATURE.replace("  a:", "  b:").replace("a-*", "'*'")
    assert findings(f"features: {FEATURE}{every}") == []
    assert len(findings(f"features: {every}{every.replace('  b:', '  c:')}")) == 3


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (
            "alerts: {LLMWatchdock: {enabled: false}}",
            ["alerts: 'LLMWatchdock' is unknown; did you mean 'LLMWatchdog'?"],
        ),
        (
            "alerts: {LLMQualityDrop: {severity: warning, for: 1h}}",
            [
                "alerts.LLMQualityDrop.severity: it is critical or warning, by how much; valid: none here, but"
                " other thresholds"
            ],
        ),
        ("alerts: {LLMQualityDrop: {for: 1h}}", []),
        ("cardinality: {tempalte: 3}", ["cardinality: 'tempalte' is unknown; did you mean 'template'?"]),
        (
            "{cardinality: {language: 60}, limits: {label_sets: 70, label_values: 50}}",
            ["cardinality.language: 60 values are more than limits.label_values, 50"],
        ),
        (
            "{cardinality: {language: 12, service_name: 10, dimension: 2}, limits: {label_sets: 200}}",
            [
                "cardinality: llm_quality_by_language_total would have 240 label sets, of which limits.label_sets"
                " allows 200; valid: at most 10 for language"
            ],
        ),
        ("{cardinality: {language: 10, service_name: 10, dimension: 2}, limits: {label_sets: 200}}", []),
        (
            'budgets: {"a\\tb": 5}',
            ["budgets: 'a\\tb' is no name; valid: one line of printable text, in quotes where YAML needs them"],
        ),
    ],
)
def test_names_and_label_sets(findings, text, found):
    assert findings(text) == found
