"""Says how each call ended, and what kind of error ended it.

Settings, under `processors.classify`:

    error_types: {}     more error types, each with its class, such as `GatewayBusy: rate_limit`

Columns: `outcome` is `stopped` where the app ended the call early (the stream was closed, abandoned or cancelled),
`error` where the call failed, else `ok`; `outcome_by_class` has the error's class beside it.

The class comes from the call's error.type, by a closed table: exceptions of the clients and of Python, HTTP status
codes, error codes of providers. How a name is written does not matter: `openai.RateLimitError`, `rate_limit_error`
and `RATE_LIMIT_ERROR` are one name. A name that the table does not have is `other`.
https://opentelemetry.io/docs/specs/semconv/registry/attributes/error/
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
    """,
    semconv.RATE_LIMIT: """
        429 RateLimitError RateLimitExceeded TooManyRequests TooManyRequestsError ResourceExhausted InsufficientQuota
        QuotaExceeded ThrottlingException ServiceQuotaExceededException
    """,
    semconv.AUTH: """
        401 402 403 AuthenticationError PermissionError PermissionDenied PermissionDeniedError Unauthenticated
        Unauthorized Forbidden InvalidApiKey BillingError AccessDeniedException ExpiredTokenException
        UnauthorizedError ForbiddenError NoCredentialsError
    """,
    semconv.BAD_REQUEST: """
        400 404 405 409 410 413 415 422 BadRequest BadRequestError InvalidRequestError InvalidArgument NotFound
        NotFoundError ModelNotFound ConflictError UnprocessableEntityError RequestTooLarge RequestTooLargeError
        ContextLengthExceeded FailedPrecondition OutOfRange ValidationException ResourceNotFoundException
    """,
    semconv.CONTENT_FILTER: """
        ContentFilter ContentFilterFinishReasonError ContentPolicyViolation ContentPolicyViolationError
        ResponsibleAIPolicyViolation
    """,
    semconv.CONNECTION: """
        APIConnectionError ConnectionError ConnectionResetError ConnectionRefusedError ConnectionAbortedError
        BrokenPipeError ConnectError ReadError WriteError CloseError NetworkError RemoteProtocolError
        EndpointConnectionError ConnectionClosedError ResponseStreamingError ProtocolError
    """,
    semconv.SERVER: """
        500 501 502 503 520 529 InternalServerError InternalServerException InternalError Internal ServerError APIError
        Overloaded OverloadedError Unavailable ServiceUnavailable ServiceUnavailableError BadGateway
        ServiceUnavailableException ModelErrorException ModelNotReadyException EventStreamError
    """,
}
# Error types by which foreign senders tell that the app ended the call.
STOPPED_TYPES = ("CancelledError", "Cancelled", "KeyboardInterrupt", "GeneratorExit")
STOPPED_ENDINGS = (semconv.CLOSED, semconv.CANCELLED, semconv.ABANDONED)

_STOPPED = (semconv.STOPPED, "")
_OTHER_ERROR = (semconv.ERROR, semconv.OTHER)
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
        self._table = {_folded(name): _STOPPED for name in STOPPED_TYPES}
        for error_class, names in ERROR_TYPES.items():
            self._table |= {_folded(name): (semconv.ERROR, error_class) for name in names.split()}
        self._table |= {_folded(name): (semconv.ERROR, error_class) for name, error_class in config.error_types.items()}

    def process(self, calls: Calls) -> Calls:
        # A name is looked up once for the batch, however many calls failed with it.
        by_string = np.zeros(len(calls.strings), np.int8)
        for code in np.unique(calls["error_type"][calls["failed"]]).tolist():
            ended = self._table.get(_folded(calls.strings[code]), _OTHER_ERROR)
            by_string[code] = OUTCOMES_BY_CLASS.index(ended)
        stopped = np.isin(calls["ending"], [code for code, text in enumerate(calls.strings) if text in STOPPED_ENDINGS])
        failed = calls["failed"] & ~stopped
        result = np.zeros(len(calls), np.int8)
        result[failed] = by_string[calls["error_type"][failed]]
        result[stopped] = OUTCOMES_BY_CLASS.index(_STOPPED)
        calls.add("outcome_by_class", result)
        calls.add("outcome", _OUTCOMES[result])
        return calls


def _folded(error_type: str) -> str:
    return error_type.rpartition(".")[2].replace("_", "").casefold()
