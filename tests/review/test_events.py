"""A grade as a log event, and how patiently it is sent."""

import pytest

from llmvitals import semconv
from llmvitals_collector.forward.transport import BusyError, SendError
from llmvitals_collector.review import events, ledger
from llmvitals_collector.review.grades import Grade


@pytest.fixture
def grade(item):
    """`grade(number)` is an item, and what stands in the ledger of its grade."""

    def make(number=1, **changes):
        [due] = ledger.due([], [Grade("", item(number, **changes), "grader-1", semconv.FAIL, 0.5)]).new
        return due

    return make


def test_a_grade_is_an_event_on_the_span_of_its_call_with_all_that_it_counts_by(grade, rubric):
    item, entry = grade(1, answered_at=1_700_000_000.5)
    [resource] = events.request([(item, entry)], now=1_700_000_060.0).resource_logs
    assert {each.key: each.value.string_value for each in resource.resource.attributes} == {"service.name": "shop"}
    [record] = resource.scope_logs[0].log_records
    assert (record.trace_id.hex(), record.span_id.hex()) == (item.trace_id, item.span_id)
    assert (record.event_name, record.time_unix_nano) == ("gen_ai.evaluation.result", 1_700_000_060 * 10**9)
    told = {each.key: each.value.string_value or each.value.double_value for each in record.attributes}
    assert len(told.pop(semconv.EVALUATION_ID)) == 32
    assert told == {
        "gen_ai.provider.name": "openai",
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": "gpt-5",
        "gen_ai.prompt.name": "support",
        "gen_ai.prompt.version": "7",
        "service.version": "1.4.0",
        "gen_ai.evaluation.name": "helpfulness",
        "gen_ai.evaluation.score.label": "fail",
        "gen_ai.evaluation.score.value": 0.5,
        "llmvitals.evaluation.track": "utility",
        "llmvitals.evaluation.source": "human",
        "llmvitals.evaluator.name": "grader-1",
        "llmvitals.evaluation.rubric": rubric.hash,
        "llmvitals.evaluation.set": "live",
        "llmvitals.evaluation.stratum": "uniform",
        "llmvitals.evaluation.weight": 20.0,
        "llmvitals.evaluation.answered_at": 1_700_000_000.5,
        "llmvitals.evaluation.language": "en",
        "llmvitals.evaluation.latency_band": "1-3s",
        "llmvitals.judge.name": "judge-1",
        "llmvitals.judge.verdict": "pass",
        "llmvitals.judge.score": 0.75,
    }


def test_what_is_not_known_is_left_out(grade):
    unknown = {"release": "", "language": "", "answered_at": None, "judge_score": None}
    [resource] = events.request([grade(1, **unknown)], now=1.0).resource_logs
    told = {each.key for each in resource.scope_logs[0].log_records[0].attributes}
    assert not told & {
        *(semconv.RELEASE, semconv.EVALUATION_LANGUAGE, semconv.EVALUATION_ANSWERED_AT),
        *(semconv.JUDGE_SCORE, semconv.PEER_VERDICT),
    }


def test_grades_of_several_services_keep_theirs(grade):
    found = events.request([grade(1), grade(2, service="desk"), grade(3)], now=1.0).resource_logs
    assert [len(resource.scope_logs[0].log_records) for resource in found] == [2, 1]


class Answering:
    """A transport that answers as the test says: with a number of rejected records, or an error."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.sent = []

    def send(self, request):
        self.sent.append(request.body)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def close(self):
        pass


@pytest.fixture
def waited(monkeypatch):
    """The seconds for which was waited, which nobody does."""
    found = []
    monkeypatch.setattr(events.time, "sleep", found.append)
    return found


def test_a_busy_collector_is_asked_again_not_before_the_time_that_it_wants(grade, waited):
    transport = Answering(BusyError("is busy"), BusyError("is busy", 7.0), BusyError("is busy", 3600.0), 0)
    events.deliver(events.request([grade()], now=1.0), transport)
    assert waited == [0.5, 7.0, 60.0]
    assert len(set(transport.sent)) == 1


def test_patience_ends(grade, waited):
    with pytest.raises(BusyError):
        events.deliver(events.request([grade()], now=1.0), Answering(*[BusyError("is busy")] * 5))
    assert waited == [0.5, 1.0, 2.0, 4.0]


@pytest.mark.parametrize("answer", [2, SendError("rejects 2 of 2 grades")])
def test_what_is_refused_is_not_sent_again(grade, waited, answer):
    with pytest.raises(SendError, match="rejects 2 of 2 grades"):
        events.deliver(events.request([grade(1), grade(2)], now=1.0), Answering(answer))
    assert waited == []
