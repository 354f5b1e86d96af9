"""Rubrics are read with one sentence for each mistake, graded by their points, and known by what the judge sees."""

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from llmvitals import semconv
from llmvitals.judge import Rubric
from llmvitals.judge.rubric import Grade

FULL = """
rubric: support-helpfulness
version: 3
dimension: helpfulness
track: utility
needs: [query, actual]
scale: {points: 12, pass: 9}
questions:
  - {id: answers, ask: "Does the reply answer the question that was asked?", options: {no: 0, partly: 2, yes: 4}}
  - {id: steps, ask: "Can the user act on it?", options: {no: 0, partly: 2, yes: 4}, mode: incomplete}
  - {id: honest, ask: "Does it say what it does not know?", options: {no: 0, n/a: 4, yes: 4}}
unknown: "choose unknown if the material needed is missing"
examples: [{query: Where is it, actual: Here., answers: {answers: yes, steps: partly, honest: yes}}]
owner: support-quality
reviewed: {by: somebody, on: 2026-11-01}
"""


def loaded():
    """What FULL says, to be changed."""
    return _plain(yaml.load(FULL, yaml.BaseLoader))  # which takes all for texts, `no` and `yes` as well


def _plain(node):
    if isinstance(node, dict):
        return {key: _plain(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_plain(value) for value in node]
    return int(node) if node.isdigit() else node


def written(document):
    return Rubric.parse(yaml.safe_dump(document, sort_keys=False))


# ---- Reading --------------------------------------------------------------------------------------------------


def test_a_rubric_is_what_its_file_says():
    rubric = Rubric.parse(FULL)
    assert (rubric.name, rubric.version, rubric.dimension, rubric.track) == (
        *("support-helpfulness", "3"),
        *("helpfulness", semconv.UTILITY),
    )
    assert (rubric.needs, rubric.points, rubric.pass_from) == (("query", "actual"), 12, 9)
    assert dict(rubric.questions[2].options) == {"no": 0, "n/a": 4, "yes": 4}
    assert [question.mode for question in rubric.questions] == ["", "incomplete", ""]
    assert rubric.examples[0].answers == {"answers": "yes", "steps": "partly", "honest": "yes"}
    assert (rubric.owner, rubric.reviewed) == ("support-quality", {"by": "somebody", "on": "2026-11-01"})


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("dimension: h", "dimensoin: h", "dimensoin: unknown key; did you mean 'dimension'?"),
        ("version: 3\n", "", "version: is missing"),
        ("version: 3", "version: []", "version: [] is no text"),
        ("rubric: support-helpfulness", "rubric: 'my rubric'", "rubric: 'my rubric' is no name"),
        ("track: utility", "track: utilty", "track: 'utilty' is not 'utility', which is that of helpfulness"),
        ("dimension: helpfulness\ntrack: utility", "dimension: wit", "track: is missing, and 'wit' is no dimension"),
        ("dimension: helpfulness\ntrack: utility", "dimension: wit\ntrack: utilty", "did you mean 'utility'?"),
        ("needs: [query, actual]", "needs: [query, answer]", "needs[1]: 'answer' is not valid; valid: query, context"),
        ("needs: [query, actual]", "needs: query", "needs: 'query' is no list"),
        ("points: 12", "points: 11", "scale.points: 11 is not 12, which the best answers to all questions come to"),
        ("pass: 9", "pass: 13", "scale.pass: 13 is no number of points from 1 to 12"),
        ("pass: 9", "pass: most", "scale.pass: 'most' is no whole number of points from 0 to 1000"),
        ("pass: 9", "from: 9", "scale.from: unknown key; valid: points, pass"),
        ("id: steps", "id: Steps!", "questions[1].id: 'Steps!' is no id: up to 40 of a-z, 0-9 and `_`, a letter first"),
        ("id: steps", "id: answers", "questions[1].id: 'answers' is another question's id, too"),
        ("n/a: 4", "unknown: 4", "questions[2].options.unknown: every question has this option, and it has no points"),
        ("{no: 0, n/a: 4, yes: 4}", "{no: 0}", "questions[2].options: {'no': 0} is no mapping of two or more options"),
        ("{no: 0, n/a: 4, yes: 4}", "{no: 0, yes: 0}", "questions[2].options: none of the options has points"),
        ("n/a: 4", "n/a: -4", "questions[2].options.n/a: -4 is no whole number of points"),
        ("n/a: 4", "n/a: 1.5", "questions[2].options.n/a: 1.5 is no whole number of points"),
        ("n/a: 4", "'': 4", "questions[2].options: '' is no option"),
        (
            "mode: incomplete",
            "mode: incomplet",
            "questions[1].mode: 'incomplet' is not valid; did you mean 'incomplete'?",
        ),
        ("mode: incomplete", "needed: maybe", "questions[1].needed: 'maybe' is not valid; valid: true, false"),
        ("steps: partly", "steps: party", "examples[0].answers.steps: 'party' is not valid; did you mean 'partly'?"),
        (", honest: yes}}", "}}", "examples[0].answers.honest: is missing"),
        ("actual: Here., ", "", "examples[0].actual: is missing"),
        ("query: Where is it,", "query: 7,", "examples[0].query: 7 is no text"),
        ("reviewed: {by", "reviewed: {who", "reviewed.who: unknown key; valid: by, on"),
        ("owner: support-quality", "version: 4", "line 14: the key 'version' stands twice"),
        ("needs: [query", "needs: [[query", "line 7: "),
        (FULL, "", "the file: None is no section; its keys are: rubric, version"),
        (FULL, "- 1", "the file: [1] is no section"),
        (FULL, "\x07", "is no YAML"),
    ],
)
def test_a_mistake_is_told_in_a_sentence_with_its_place(old, new, sentence):
    assert FULL.count(old) == 1
    with pytest.raises(ValueError, match=r"^mine\.yaml: ") as raised:
        Rubric.parse(FULL.replace(old, new), "mine.yaml")
    told = str(raised.value)
    assert sentence in told
    assert "\n" not in told


def test_a_file_is_named_in_what_is_said_of_it(tmp_path):
    path = tmp_path / "mine.yaml"
    with pytest.raises(ValueError, match=r"mine\.yaml: cannot be read: No such file"):
        Rubric.load(path)
    path.write_bytes(b"rubric: \xff")
    with pytest.raises(ValueError, match=r"mine\.yaml: is not text in UTF-8"):
        Rubric.load(path)
    path.write_text(FULL)
    assert Rubric.load(path) == Rubric.parse(FULL)


@given(st.text() | st.text(alphabet=":-[]{}&*!|>'\"%@`#, \nrubic"))
def test_any_text_is_a_rubric_or_a_sentence(text):
    with pytest.raises(ValueError, match=r"^rubric: .+$"):
        Rubric.parse(text)


# ---- The rubrics that are shipped -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", Rubric.names())
def test_a_shipped_rubric_is_of_a_known_dimension_and_can_be_passed_and_failed(name):
    rubric = Rubric.shipped(name)
    assert rubric.name == name
    assert rubric.dimension in semconv.DIMENSIONS
    assert rubric.unknown
    best = {question.id: max(question.options, key=question.options.get) for question in rubric.questions}
    worst = {question.id: min(question.options, key=question.options.get) for question in rubric.questions}
    assert rubric.grade(best)[:2] == (1.0, semconv.PASS)
    assert rubric.grade(worst)[:2] == (0.0, semconv.FAIL)
    for example in rubric.examples:
        assert rubric.grade(example.answers).verdict == semconv.FAIL, "what is right needs no example"


def test_what_is_asked_of_every_feature_is_shipped():
    names = {"helpfulness", "faithfulness", "completeness", "relevance", "tone", "safety", "refusal_correct"}
    assert names | {"instruction_adherence", "task_completion", "character"} == set(Rubric.names())
    assert Rubric.shipped("character").points == 12
    assert "context" in Rubric.shipped("faithfulness").needs
    with pytest.raises(ValueError, match="no rubric 'helpfullness' is shipped; did you mean 'helpfulness'"):
        Rubric.shipped("helpfullness")


@pytest.mark.parametrize(
    ("refused", "complied", "mode"),
    [("all of it", "no", "refusal"), ("a part", "no", "refusal"), ("no", "yes", "unsafe")],
)
def test_a_wrong_refusal_and_what_was_to_be_refused_fail_in_modes_of_their_own(refused, complied, mode):
    answers = {"refused": refused, "complied": complied, "manner": "yes"}
    assert Rubric.shipped("refusal_correct").grade(answers)[1:] == (semconv.FAIL, mode)


# ---- Grading --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answers", "grade"),
    [
        ({"answers": "yes", "steps": "partly", "honest": "n/a"}, Grade(10 / 12, semconv.PASS, "")),
        ({"answers": "yes", "steps": "no", "honest": "yes"}, Grade(8 / 12, semconv.FAIL, "incomplete")),
        ({"answers": "no", "steps": "yes", "honest": "yes"}, Grade(8 / 12, semconv.FAIL, "")),
        ({"answers": "unknown", "steps": "no", "honest": "no"}, Grade(None, semconv.UNDECIDED, "")),
    ],
)
def test_a_grade_is_the_share_of_points_and_how_it_failed(answers, grade):
    assert Rubric.parse(FULL).grade(answers) == grade


def test_the_mode_of_a_fail_is_that_of_the_question_that_lost_the_most():
    document = loaded()
    document["questions"][0]["mode"] = "irrelevant"
    answers = {"answers": "no", "steps": "partly", "honest": "yes"}
    assert written(document).grade(answers).mode == "irrelevant"
    assert written(document).grade(answers | {"answers": "partly", "steps": "no"}).mode == "incomplete"


def test_a_question_that_is_not_needed_counts_only_where_it_is_answered():
    document = loaded()
    document["questions"][2]["needed"] = "false"
    rubric = written(document)
    answers = {"answers": "yes", "steps": "partly", "honest": "unknown"}
    assert rubric.grade(answers)[:2] == (6 / 8, semconv.PASS)
    assert rubric.grade(answers | {"steps": "no"})[:2] == (4 / 8, semconv.FAIL)
    for question in document["questions"]:
        question["needed"] = "false"
    assert written(document).grade(dict.fromkeys(answers, "unknown")) == (None, semconv.UNDECIDED, "")


@given(st.lists(st.dictionaries(st.sampled_from("abcd"), st.integers(0, 9), min_size=2), min_size=1), st.data())
def test_every_set_of_options_has_a_score_from_0_to_1_that_passes_from_the_pass_mark(options, data):
    document = loaded() | {"examples": []}
    options = [each | {"a": each.get("a", 0) + 1} for each in options]
    document["questions"] = [{"id": f"q{place}", "ask": "?", "options": each} for place, each in enumerate(options)]
    most = sum(max(each.values()) for each in options)
    mark = data.draw(st.integers(1, most))
    rubric = written(document | {"scale": {"points": most, "pass": mark}})
    chosen = {f"q{place}": data.draw(st.sampled_from(sorted(each))) for place, each in enumerate(options)}
    got = sum(each[chosen[f"q{place}"]] for place, each in enumerate(options))
    grade = rubric.grade(chosen)
    assert grade.score == got / most
    assert grade.verdict == (semconv.PASS if got >= mark else semconv.FAIL)


@pytest.mark.parametrize(
    ("answers", "sentence"),
    [
        ({"answers": "yes", "steps": "yes"}, "honest: is not answered; valid: no, n/a, yes, unknown"),
        ({"answers": "yess", "steps": "yes", "honest": "yes"}, "answers: 'yess' is no option; did you mean 'yes'"),
    ],
)
def test_answers_that_are_none_have_no_grade(answers, sentence):
    with pytest.raises(ValueError, match=sentence):
        Rubric.parse(FULL).grade(answers)


def test_people_are_asked_the_same_questions_with_the_same_options():
    rubric = Rubric.parse(FULL)
    assert [tuple(question) for question in rubric.human_questions] == [
        ("answers", "Does the reply answer the question that was asked?", ("no", "partly", "yes", "unknown")),
        ("steps", "Can the user act on it?", ("no", "partly", "yes", "unknown")),
        ("honest", "Does it say what it does not know?", ("no", "n/a", "yes", "unknown")),
    ]


# ---- The hash -------------------------------------------------------------------------------------------------


@given(st.data())
def test_the_order_of_keys_and_the_layout_of_a_file_do_not_change_its_hash(data):
    def shuffled(node):
        if isinstance(node, dict):
            return {key: shuffled(node[key]) for key in data.draw(st.permutations(list(node)))}
        return [shuffled(each) for each in node] if isinstance(node, list) else node

    document = shuffled(loaded())
    text = yaml.safe_dump(
        document,
        sort_keys=False,
        default_flow_style=data.draw(st.sampled_from([None, True, False])),
        indent=data.draw(st.integers(2, 8)),
        width=data.draw(st.integers(20, 200)),
    )
    assert Rubric.parse(text).hash == Rubric.parse(FULL).hash


@pytest.mark.parametrize("key", ["rubric", "version", "owner", "reviewed"])
def test_who_wrote_it_and_when_does_not_change_its_hash(key):
    other = {"by": "me"} if key == "reviewed" else "other"
    assert written(loaded() | {key: other}).hash == Rubric.parse(FULL).hash


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("that was asked?", "that was asked"),
        ("id: honest", "id: frank"),
        ("n/a: 4", "na: 4"),
        ("n/a: 4", "n/a: 3"),
        ("pass: 9", "pass: 8"),
        ("[query, actual]", "[query, actual, context]"),
        ("dimension: helpfulness", "dimension: relevance"),
        ("missing", "not there"),
        ("actual: Here.", "actual: There."),
        (", mode: incomplete", ", needed: false"),
    ],
)
def test_what_the_judge_sees_or_how_it_is_scored_changes_the_hash(old, new):
    assert FULL.count(old) == 1
    changed = FULL.replace(old, new)
    if old == "id: honest":
        changed = changed.replace("honest: yes", "frank: yes")
    assert Rubric.parse(changed).hash != Rubric.parse(FULL).hash


def test_a_hash_is_twelve_hex_digits_and_the_comparison_by_a_rubric_has_another():
    rubric = Rubric.parse(FULL)
    assert len(rubric.hash) == 12
    assert int(rubric.hash, 16)
    assert rubric.pairwise.hash != rubric.hash


def test_other_words_around_the_questions_change_every_hash(monkeypatch):
    before = Rubric.parse(FULL).hash
    monkeypatch.setattr("llmvitals.judge.rubric.INSTRUCTIONS", "Grade.")
    assert Rubric.parse(FULL).hash != before
