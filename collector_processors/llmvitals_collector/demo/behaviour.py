"""What a loopback provider is to do with one request, and the record of what it did."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Behaviour:
    """How one request is answered. Times are seconds; `input_tokens` and `output_tokens` are totals.

    Of a request for `n` choices, each one has so many output tokens.

    status: 200, or the status of an error response in the API's own form.
    retry_after_seconds: the Retry-After header of an error response.
    headers_after_seconds: pause before the response headers.
    first_token_seconds: pause before the first token, after the headers and the opening events.
    token_seconds: pause between one token and the next.
    cache_read_tokens, cache_write_tokens: parts of `input_tokens`.
    reasoning_tokens: a part of `output_tokens`.
    reasoning_streamed: whether the reasoning is told, before the text; else it is only counted.
    text: what the model says, a token for each word; "" is for words of no meaning, `output_tokens` in number.
    tool_call: answer with a call of the first tool of the request, in place of text.
    refusal: the model declines to answer.
    usage_missing: the answer does not say how many tokens it took.
    cut_after: drop the connection after so many tokens.
    error_after: fail in mid-stream, in the API's own form, after so many tokens.
    error_status: the status that such a failure stands for, in those APIs that tell it; None: the API's usual one.

    Raises ValueError when the parts of the input or the output exceed it.
    """

    status: int = 200
    retry_after_seconds: float | None = None
    headers_after_seconds: float = 0.0
    first_token_seconds: float = 0.0
    token_seconds: float = 0.0
    input_tokens: int = 12
    output_tokens: int = 8
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    reasoning_tokens: int = 0
    reasoning_streamed: bool = False
    text: str = ""
    tool_call: bool = False
    refusal: bool = False
    usage_missing: bool = False
    cut_after: int | None = None
    error_after: int | None = None
    error_status: int | None = None

    def __post_init__(self) -> None:
        if (cached := self.cache_read_tokens + self.cache_write_tokens) > self.input_tokens:
            raise ValueError(
                f"{cached} tokens read from and written to the cache exceed input_tokens={self.input_tokens}"
            )
        if self.reasoning_tokens > self.output_tokens:
            raise ValueError(f"reasoning_tokens={self.reasoning_tokens} exceeds output_tokens={self.output_tokens}")


@dataclass
class Served:
    """One request as it was served; times are `time.perf_counter()` seconds.

    path: of the request, which names the API.
    status: the response's; 0 when the client left before one was sent.
    first_token_at: just before the first token was sent; None when none was, and for an answer sent whole.
    completed: the client was sent the whole answer, or the whole error response.
    """

    path: str
    behaviour: Behaviour
    started: float
    status: int = 0
    first_token_at: float | None = None
    ended: float | None = None
    completed: bool = False
