"""Feedback counts under the labels of its call, once for each kind and answer."""

import threading

import pytest
from msgspec.structs import replace

from llmvitals import _handle, semconv
from llmvitals_collector.expose import Format
from llmvitals_collector.storage import StorageConfig


@pytest.mark.parametrize("sampled", [True, False])
def test_it_counts_under_the_labels_of_its_call_which_need_not_be_sampled(send, handle, scrape, outcomes, sampled):
    answer = send(handle=handle(sampled), kind="thumb_up")
    assert (answer.code, answer.outcome, answer.message) == (202, "accepted", "")
    (sample,) = (each for each in scrape() if each.name == semconv.FEEDBACK.name and each.value)
    assert sample.value == 1
    assert sample.labels == {
        semconv.LABEL_SERVICE: "shop",
        semconv.LABEL_MODEL: "gpt-5-mini",
        semconv.LABEL_TEMPLATE: "support-answer",
        semconv.LABEL_TEMPLATE_VERSION: "3",
        semconv.LABEL_RELEASE: "2026.11",
        semconv.LABEL_SOURCE: "user",
        semconv.LABEL_KIND: "thumb_up",
    }
    assert outcomes() == {"accepted": 1}


def test_every_kind_is_taken_by_default(send, handle, counted):
    answer_of_the_model = handle()
    for kind in semconv.FEEDBACK_SCORES:
        assert send(handle=answer_of_the_model, kind=kind, value=0.5, comment="as I say").code == 202
    assert counted() == dict.fromkeys(semconv.FEEDBACK_SCORES, 1)


@pytest.mark.parametrize("content_type", ["application/json", "text/plain;charset=UTF-8", "image/png", None])
def test_the_content_type_does_not_matter(send, handle, content_type):
    headers = {"content-type": content_type} if content_type else {}
    assert send(handle=handle(), kind="copy", headers=headers).code == 202


def test_each_kind_counts_once_for_an_answer(send, handle, counted, outcomes):
    again = handle()
    for _ in range(3):
        answer = send(handle=again, kind="thumb_up")
    assert (answer.code, answer.outcome) == (409, "repeated")
    assert answer.message == "there was 'thumb_up' on this answer already; it counts once"
    assert send(handle=handle(), kind="thumb_up").code == 202
    assert counted() == {"thumb_up": 2}
    assert outcomes() == {"accepted": 2, "repeated": 2}


def test_two_handles_of_one_answer_are_one(send, later):
    """A handle that is made a minute later is another text."""
    first = _handle.issue(1, 2, sampled=True, identity={})
    later(60)
    again = _handle.issue(1, 2, sampled=True, identity={})
    assert first != again
    assert (send(handle=first, kind="copy").code, send(handle=again, kind="copy").code) == (202, 409)


def test_a_user_who_turns_the_thumb_counts_on_both_sides(send, handle, counted):
    """A counter takes nothing back; of who presses both, each side has one, and the first does not win for ever."""
    turned = handle()
    assert [send(handle=turned, kind=kind).code for kind in ("thumb_down", "thumb_up")] == [202, 202]
    assert counted() == {"thumb_down": 1, "thumb_up": 1}


def test_of_equal_requests_at_the_same_time_one_counts(send, handle, counted):
    same, codes, together = handle(), [], threading.Barrier(8)

    def press():
        together.wait(10)
        codes.append(send(handle=same, kind="thumb_up").code)

    threads = [threading.Thread(target=press) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(codes) == [202, *[409] * 7]
    assert counted() == {"thumb_up": 1}


def test_it_counts_once_over_a_restart_too(config, tmp_path, handle, send_to, running):
    """The new collector has forgotten the handle, and tells by the event's id that it has counted it."""
    kept, pressed = replace(config, storage=StorageConfig(directory=str(tmp_path))), handle()
    for _ in range(2):
        with running(kept) as pipeline:
            assert send_to(pipeline, handle=pressed, kind="thumb_up").code == 202
            exposed = b"".join(pipeline.render(Format.TEXT))
            assert exposed.count(b'kind="thumb_up"} 1.0') == 1
            assert exposed.count(b"llm_feedback_total{") >= 1
