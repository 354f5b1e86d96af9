"""A user's feedback as the log event that every verdict comes in as."""

import time

from llmvitals import semconv
from llmvitals._handle import Handle, feedback_id
from llmvitals_collector.feedback.given import Feedback
from llmvitals_collector.result_events import ResultEvents


def request_of(call: Handle, feedback: Feedback) -> bytes:
    """An ExportLogsServiceRequest of one event, on the span of the call and of its service."""
    service = call.identity.get(semconv.SERVICE_NAME, "")
    of_call = {name: text for name, text in call.identity.items() if name != semconv.SERVICE_NAME}
    events = ResultEvents("llmvitals", time.time())
    events.about(service, call.trace_id, call.span_id, of_call, sampled=call.sampled).add(
        {
            semconv.EVALUATION_NAME: semconv.USER_FEEDBACK,
            semconv.EVALUATION_SOURCE: semconv.SOURCE_USER,
            semconv.EVALUATION_SCORE_LABEL: feedback.kind,
            semconv.EVALUATION_SCORE_VALUE: (
                semconv.FEEDBACK_SCORES[feedback.kind] if feedback.value is None else feedback.value
            ),
            semconv.EVALUATION_ID: feedback_id(call.trace_id, call.span_id, feedback.kind).hex(),
            semconv.EVALUATION_EXPLANATION: feedback.comment,
        }
    )
    return events.request.SerializeToString()
