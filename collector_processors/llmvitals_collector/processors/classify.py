"""Says how each call ended, and what kind of error ended it.

Columns: `outcome` is `stopped` where the app ended the call early (the stream was closed, abandoned or cancelled),
`error` where the call failed, else `ok`; `outcome_by_class` has the error's class beside it.

The class comes from the call's error.type, by a closed table: exceptions of the clients and of Python, HTTP status
codes, error codes of providers; where the table does not have it, from the call's HTTP status; else it is `other`. How
a name is written does not matter: `openai.RateLimitError`, `rate_limit_error` and `RATE_LIMIT_ERROR` are one name.
https://opentelemetry.io/docs/specs/semconv/registry/attributes/error/

Attributes:
    error_types: more error types, each with its class, such as `GatewayBusy: rate_limit`.
"""

from typing import Annotated

import msgspec
import numpy as np

from llmvitals import semconv
from llmvitals_collector.calls import OUTCOMES_BY_CLASS, Calls

ERROR_TYPES = {
    semconv.TIMEOUT: """
        408 504 TimeoutError Timeout APITimeoutError ConnectTimeout ReadTimeout WriteTimeout PoolTimeout
        RequestTimeoutError DeadlineExceeded DeadlineExceededError GatewayTimeout ModelTimeoutException
        ReadTimeoutError ConnectTimeoutError GatewayTimeoutError
        ModelTimeoutError ModelRequestTimeout OpenAITimeoutError
    """,
    semconv.RATE_LIMIT: """
        429 RateLimitError RateLimitExceeded TooManyRequests TooManyRequestsError ResourceExhausted InsufficientQuota
        QuotaExceeded ThrottlingException ServiceQuotaExceededException
        ModelRateLimitError ModelQuotaExceededError OpenAIRateLimitError
    """,
    semconv.AUTH: """
        401 402 403 AuthenticationError PermissionError PermissionDenied PermissionDeniedError Unauthenticated
        Unauthorized Forbidden InvalidApiKey BillingError AccessDeniedException ExpiredTokenException
        UnauthorizedError ForbiddenError NoCredentialsError
        ModelAuthenticationError OpenAIAuthenticationError OpenAIPermissionDeniedError
    """,
    semconv.BAD_REQUEST: """
        400 404 405 409 410 413 415 422 BadRequest BadRequestError InvalidRequestError InvalidArgument NotFound
        NotFoundError ModelNotFound ConflictError UnprocessableEntityError RequestTooLarge RequestTooLargeError
        ContextLengthExceeded FailedPrecondition OutOfRange ValidationException ResourceNotFoundException
        ModelNotFoundError ModelRequestRejectedError ModelContextWindowExceededError OpenAIInvalidRequestError
        OpenAIModelNotFoundError OpenAIContextOverflowError
    """,
    semconv.CONTENT_FILTER: """
        ContentFilter ContentFilterFinishReasonError ContentPolicyViolation ContentPolicyViolationError
        ResponsibleAIPolicyViolation
    """,
    semconv.CONNECTION: """
        APIConnectionError ConnectionError ConnectionResetError ConnectionRefusedError ConnectionAbortedError
        BrokenPipeError ConnectError ReadError WriteError CloseError NetworkError RemoteProtocolError
        EndpointConnectionError ConnectionClosedError ResponseStreamingError ProtocolError
        ModelConnectionError OpenAIConnectionError
    """,
    semconv.SERVER: """
        500 501 502 503 520 529 InternalServerError InternalServerException InternalError Internal ServerError APIError
        Overloaded OverloadedError Unavailable ServiceUnavailable ServiceUnavailableError BadGateway
        ServiceUnavailableException ModelErrorException ModelNotReadyException EventStreamError
        ModelServerError ModelOverloadedError ModelUnavailableError OpenAIAPIError
    """,
}
# Error types by which foreign senders tell that the app ended the call.
STOPPED_TYPES = ("CancelledError", "Cancelled", "KeyboardInterrupt", "GeneratorExit")
STOPPED_ENDINGS = (semconv.CLOSED, semconv.CANCELLED, semconv.ABANDONED)

# Places in OUTCOMES_BY_CLASS.
_OK = OUTCOMES_BY_CLASS.index((semconv.OK, ""))
_STOPPED = OUTCOMES_BY_CLASS.index((semconv.STOPPED, ""))
_ERRORS = {each: OUTCOMES_BY_CLASS.index((semconv.ERROR, each)) for each in semconv.ERROR_CLASSES}
_OTHER_ERROR = _ERRORS[semconv.OTHER]
# Place in OUTCOMES_BY_CLASS -> place in OUTCOMES.
_OUTCOMES = np.array([semconv.OUTCOMES.index(outcome) for outcome, _ in OUTCOMES_BY_CLASS], np.int8)


class ClassifyConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    error_types: Annotated[dict[str, str], msgspec.Meta(description="a mapping of error types to their classes")] = {}

    def __post_init__(self) -> None:
        for error_type, error_class in self.error_types.items():
            if error_class not in semconv.ERROR_CLASSES:
                valid = ", ".join(semconv.ERROR_CLASSES)
                raise ValueError(f"error_types.{error_type}: {error_class!r} is no error class; valid: {valid}")


class Classify:
    def __init__(self, config: ClassifyConfig) -> None:
        self._table = dict.fromkeys(map(_folded, STOPPED_TYPES), _STOPPED)
        for error_class, names in ERROR_TYPES.items():
            self._table |= dict.fromkeys(map(_folded, names.split()), _ERRORS[error_class])
        self._table |= {_folded(name): _ERRORS[error_class] for name, error_class in config.error_types.items()}

    def process(self, calls: Calls) -> Calls:
        errors = calls.of_texts("error_type", self._error, np.int8)
        # One class of exceptions for every refusal, as google-genai and ollama have: the status tells what kind it is.
        if "status_code" in calls:
            refused = calls["failed"] & (errors == _OTHER_ERROR) & (calls["status_code"] >= 400)
            for status in np.unique(calls["status_code"][refused]).tolist():
                errors[refused & (calls["status_code"] == status)] = self._error(f"{status:.0f}")
        stopped = calls.of_texts("ending", STOPPED_ENDINGS.__contains__, np.bool_)
        ended = np.where(stopped, _STOPPED, np.where(calls["failed"], errors, _OK))
        calls.add("outcome_by_class", ended)
        calls.add("outcome", _OUTCOMES[ended])
        return calls

    def _error(self, error_type: str) -> int:
        """The place in OUTCOMES_BY_CLASS of an error type, or of an HTTP status."""
        return self._table.get(_folded(error_type), _OTHER_ERROR)


def _folded(error_type: str) -> str:
    return error_type.rpartition(".")[2].replace("_", "").casefold()
