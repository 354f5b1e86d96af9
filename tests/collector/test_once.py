"""However many spans tell of a call, in whatever batches and order they come, it counts once."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmvitals import semconv
from llmvitals_collector.calls import Calls
from llmvitals_collector.once import once
from llmvitals_collector.storage.seen import Seen


class Remembered:
    """A memory without bounds, in Python's own terms."""

    def __init__(self):
        self.ids = {}

    def contains(self, ids):
        return self.marks(ids) != 0

    def marks(self, ids):
        return np.array([self.ids.get(each, 0) for each in ids.tolist()], np.uint32)

    def new(self, ids, marks=None):
        fresh = []
        for each, mark in zip(ids.tolist(), [1] * len(ids) if marks is None else marks.tolist(), strict=True):
            fresh.append(each not in self.ids)
            self.ids.setdefault(each, mark)
        return np.array(fresh, np.bool_)


@pytest.fixture(params=[Remembered, Seen])
def memory(request):
    return request.param()


def call(span, parent=0, response=0, **more):
    return {"trace_id_low": 1, "span_id": span, "parent_id": parent, "response_id": response, **more}


def counted(memory, *batches):
    """The span ids that count of each batch, and why the others do not."""
    kept, reasons = [], Counter()
    for rows in batches:
        calls = Calls.from_rows(rows)
        repeated = once(calls, memory)
        kept.append(calls["span_id"][repeated < 0].tolist())
        reasons.update(semconv.REPEATED_REASONS[place] for place in repeated.tolist() if place >= 0)
    return kept, reasons


def test_a_span_that_is_sent_again_is_a_duplicate(memory):
    assert counted(memory, [call(1), call(2)], [call(2), call(3), call(3)]) == (
        [[1, 2], [3]],
        {semconv.DUPLICATE: 2},
    )


def test_spans_of_different_traces_are_different_spans(memory):
    assert counted(memory, [call(1), call(1) | {"trace_id_low": 2}, call(1) | {"trace_id_high": 1}])[1] == {}


def test_of_nested_calls_the_innermost_counts(memory):
    assert counted(memory, [call(1), call(2, parent=1), call(3, parent=2)]) == ([[3]], {semconv.WRAPPER: 2})


def test_a_call_below_a_span_that_is_no_call_counts(memory):
    assert counted(memory, [call(2, parent=1), call(3, parent=1)])[1] == {}


def test_a_wrapper_that_comes_after_its_call_does_not_count(memory):
    assert counted(memory, [call(2, parent=1)], [call(1)]) == ([[2], []], {semconv.WRAPPER: 1})


def test_a_call_whose_wrapper_was_counted_counts_no_more(memory):
    assert counted(memory, [call(1)], [call(2, parent=1)]) == ([[1], []], {semconv.WRAPPER: 1})


def test_a_wrapper_that_was_counted_stands_for_one_of_its_calls(memory):
    assert counted(memory, [call(1)], [call(2, parent=1)], [call(3, parent=1), call(4, parent=1)]) == (
        [[1], [], [3, 4]],
        {semconv.WRAPPER: 1},
    )


def test_a_wrapper_that_was_counted_stands_for_the_innermost_call(memory):
    assert counted(memory, [call(1)], [call(2, parent=1), call(3, parent=2)]) == ([[1], []], {semconv.WRAPPER: 2})


def test_two_instrumentations_of_a_client_tell_of_one_call(memory):
    one, other = {"scope": "one"}, {"scope": "other"}
    assert counted(memory, [call(1, response=9, **one)], [call(2, response=9, **other)]) == (
        [[1], []],
        {semconv.SAME_ANSWER: 1},
    )
    assert counted(memory, [call(3, response=8, **one), call(4, response=8, **other)]) == (
        [[3]],
        {semconv.SAME_ANSWER: 1},
    )


def test_one_instrumentation_tells_of_as_many_calls_as_it_has_spans_even_where_the_server_repeats_its_ids(memory):
    rows = [call(span, response=9, scope="one") for span in (1, 2, 3)]
    assert counted(memory, rows[:2], rows[2:]) == ([[1, 2], [3]], {})


@pytest.mark.parametrize("together", [True, False])
def test_what_anthropic_s_client_tells_in_a_trace_of_its_own_is_one_call_with_what_another_tells(memory, together):
    rows = [
        call(1, response=9, provider="anthropic", dialect="anthropic"),
        call(2, response=9, provider="anthropic", dialect="openllmetry") | {"trace_id_low": 2},
    ]
    kept, _ = counted(memory, rows) if together else counted(memory, rows[:1], rows[1:])
    assert sum(map(len, kept)) == 1


def test_a_failure_that_anthropic_s_client_tells_does_not_count_where_another_tells_of_anthropic(memory):
    own = call(1, provider="anthropic", dialect="anthropic", failed=True)
    other = call(2, provider="anthropic", dialect="openllmetry", failed=True) | {"trace_id_low": 2}
    assert counted(memory, [own, other]) == ([[2]], {semconv.SAME_ANSWER: 1})
    assert counted(memory, [own | {"span_id": 3}]) == ([[]], {semconv.SAME_ANSWER: 1})
    assert counted(memory, [own | {"span_id": 4, "service": "another"}]) == ([[4]], {})


def test_the_same_response_id_in_another_trace_is_another_call(memory):
    assert counted(memory, [call(1, response=9), call(2, response=9) | {"trace_id_low": 2}])[1] == {}


@pytest.mark.parametrize(
    "better", [{"client": True}, {"template": "greeting"}, {"time_to_first_token": 0.4}, {"input_tokens": 12}]
)
def test_of_two_spans_with_one_answer_the_one_that_knows_more_counts(memory, better):
    assert counted(memory, [call(1, response=9), call(2, response=9, scope="other", **better)])[0] == [[2]]


def test_the_client_counts_before_a_proxy_that_knows_more(memory):
    proxy = call(1, response=9, template="greeting", time_to_first_token=0.4, input_tokens=12)
    assert counted(memory, [proxy, call(2, response=9, client=True, scope="other")])[0] == [[2]]


@pytest.mark.parametrize(
    "rows",
    [
        [call(1, template="greeting", template_version="7"), call(2, parent=1), call(3, parent=2)],
        [
            call(3, response=9, client=True),
            call(2, response=9, scope="other", template="greeting", template_version="7"),
        ],
    ],
    ids=["its wrapper", "another instrumentation"],
)
def test_the_call_that_counts_learns_its_template_from(memory, rows):
    calls = Calls.from_rows(rows)
    calls = calls.where(once(calls, memory) < 0)
    assert [calls.strings[calls[name][0]] for name in ("template", "template_version")] == ["greeting", "7"]
    assert calls["span_id"].tolist() == [3]


def test_a_template_of_its_own_is_kept(memory):
    calls = Calls.from_rows([call(1, template="outer"), call(2, parent=1, template="inner")])
    once(calls, memory)
    assert calls.strings[calls["template"][1]] == "inner"


def test_what_a_server_tells_never_counts_nor_hides_what_the_client_tells(memory):
    server = call(2, parent=1, response=9, dialect="vllm")
    assert counted(memory, [server], [call(1, response=9)]) == ([[], [1]], {semconv.SERVER_SPAN: 1})


def test_a_span_that_says_to_be_its_own_parent_counts(memory):
    assert counted(memory, [call(1, parent=1)])[0] == [[1]]


def test_an_empty_batch_is_no_news(memory):
    assert counted(memory, []) == ([[]], {})


@st.composite
def traces(draw):
    """Spans of one trace, in any order and batches, some of them twice; and how many calls they tell of."""
    spans, calls = [], 0
    for _ in range(draw(st.integers(1, 4))):
        if draw(st.booleans()):
            # Every span knows the answer: any of them, one within the other or not.
            calls += 1
            for place in range(draw(st.integers(1, 4))):
                parent = draw(st.sampled_from([0, *range(len(spans) - place + 1, len(spans) + 1)]))
                spans.append(
                    call(
                        len(spans) + 1,
                        parent,
                        response=100 + calls,
                        client=draw(st.booleans()),
                        scope=f"scope {place}",
                    )
                )
        else:
            # None does: a wrapper, and the calls within.
            wrapper, within = len(spans) + 1, draw(st.integers(0, 3))
            calls += max(within, 1)
            spans.append(call(wrapper))
            spans += [call(wrapper + 1 + place, parent=wrapper) for place in range(within)]
    sent = draw(st.permutations(spans + draw(st.lists(st.sampled_from(spans)))))
    cuts = sorted(draw(st.lists(st.integers(0, len(sent)), max_size=4)))
    return [sent[a:b] for a, b in zip([0, *cuts], [*cuts, len(sent)], strict=True)], calls


@pytest.mark.parametrize("memory", [Remembered, Seen])
@given(trace=traces())
def test_any_order_and_any_batches_count_each_call_once(memory, trace):
    batches, calls = trace
    assert sum(map(len, counted(memory(), *batches)[0])) == calls


@given(st.integers(1, 6), st.data())
def test_calls_nested_to_any_depth_count_once_if_they_come_in_the_order_in_which_they_end(depth, data):
    spans = [call(span, parent=span - 1) for span in range(depth, 0, -1)]
    cuts = sorted(data.draw(st.lists(st.integers(0, depth), max_size=depth)))
    batches = [spans[a:b] for a, b in zip([0, *cuts], [*cuts, depth], strict=True)]
    assert sum(map(len, counted(Remembered(), *batches)[0])) == 1
