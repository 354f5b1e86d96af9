"""What each emitter is to tell of the script of calls: whatever the instrumentation, the truth is the provider's.

A call is a dict of the columns of `Calls` that are told; what is 0 or absent is left out, and of a time only stands
that it is told. `CHAT | {...}` says where an emitter tells something else, or more, and `without` what it leaves out.
"""

from typing import Any, NamedTuple, TypeAlias

Call: TypeAlias = dict[str, Any]

OPENAI = {"operation": "chat", "provider": "openai", "duration": True}
CHAT = OPENAI | {
    "model": "gpt-5-mini",
    "input_tokens": 1200,
    "output_tokens": 40,
    "cache_read_tokens": 1024,
    "reasoning_tokens": 16,
}
STREAM = OPENAI | {
    "model": "gpt-5-mini",
    "streamed": True,
    "time_to_first_chunk": True,
    "input_tokens": 1300,
    "output_tokens": 30,
    "cache_read_tokens": 1152,
    "reasoning_tokens": 8,
}
FAILURE = OPENAI | {"model": "gpt-5-nano", "failed": True, "error_type": "openai.RateLimitError"}
EMBEDDINGS = OPENAI | {"operation": "embeddings", "model": "text-embedding-3-small", "input_tokens": 7}
# The one in a workflow, of an agent, or with a named prompt.
WITHIN = OPENAI | {"model": "gpt-5", "input_tokens": 900, "output_tokens": 20, "reasoning_tokens": 4}
CLAUDE = OPENAI | {
    "provider": "anthropic",
    "model": "claude-haiku-4-5",
    "input_tokens": 2100,
    "output_tokens": 50,
    "cache_read_tokens": 1800,
    "cache_write_tokens": 200,
}
CLAUDE_STREAM = CLAUDE | {
    "streamed": True,
    "time_to_first_chunk": True,
    "input_tokens": 2200,
    "output_tokens": 35,
    "cache_read_tokens": 1900,
    "cache_write_tokens": 250,
}
OLLAMA = OPENAI | {"provider": "Ollama", "model": "llama3.2"}
CLAUDE_FAILURE = FAILURE | {"provider": "anthropic", "error_type": "anthropic.RateLimitError"}

# Seconds that a call takes at least, by the pace of the provider, and the first chunk of a stream.
LEAST = {
    "gpt-5-mini": 0.23,
    "gpt-5-nano": 0.05,
    "text-embedding-3-small": 0.15,
    "gpt-5": 0.22,
    "claude-haiku-4-5": 0.28,
    "llama3.2": 0.26,
}
FIRST_CHUNK = 0.045  # OpenLIT's clock starts some milliseconds late


def without(call: Call, *columns: str) -> Call:
    return {name: value for name, value in call.items() if name not in columns}


class Emitter(NamedTuple):
    """dialect: the one that its spans speak. calls: in any order.

    by_client: the calls that it leaves to Anthropic's client, which tells of them itself, and more.
    """

    dialect: str
    calls: tuple[Call, ...]
    by_client: tuple[Call, ...] = ()

    @property
    def counted(self) -> tuple[Call, ...]:
        """What counts of the calls: of a server's, nothing, since its clients tell of them."""
        return () if self.dialect == "vllm" else (*self.calls, *self.by_client)


LANGCHAINS_ERROR = "langchain_openai.chat_models.base.OpenAIRateLimitError"
NO_PARTS = ("cache_read_tokens", "reasoning_tokens")
UNREAD = ("duration", "time_to_first_chunk", "input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens")
# In US dollars, by the prices that LiteLLM, Logfire and Pydantic AI know.
COSTS = {
    "chat": 0.0001496,
    "stream": 0.0001258,
    "embeddings": 1.4e-07,
    "claude": 0.00078,
    "claude_stream": 0.0007275,
    "within": 0.001325,
}
TRUTH = {
    # It does not tell why a call failed, in version 7 it does.
    "ai_sdk_6": Emitter(
        "ai_sdk",
        (CHAT, STREAM, FAILURE | {"error_type": "AI_APICallError"}, EMBEDDINGS, CLAUDE, CLAUDE_STREAM, WITHIN),
    ),
    "ai_sdk_7": Emitter(
        "ai_sdk",
        (
            without(CHAT, "reasoning_tokens"),
            without(STREAM, "reasoning_tokens"),
            FAILURE | {"error_type": "429"},
            *(EMBEDDINGS, CLAUDE, CLAUDE_STREAM),
            without(WITHIN, "reasoning_tokens"),
        ),
    ),
    "anthropic": Emitter("anthropic", (CLAUDE, CLAUDE_STREAM, CLAUDE_FAILURE | {"error_type": "rate_limit_error"})),
    "genai_anthropic": Emitter("genai", (CLAUDE, CLAUDE_STREAM, CLAUDE_FAILURE)),
    "genai_langchain": Emitter(
        "genai", (CHAT, STREAM, FAILURE | {"error_type": LANGCHAINS_ERROR}, WITHIN | {"template": "order-status"})
    ),
    "genai_openai": Emitter("genai", (CHAT, STREAM, FAILURE, EMBEDDINGS)),
    "langfuse": Emitter(
        "langfuse",
        (
            *(CHAT, STREAM, FAILURE | {"error_type": "429"}, EMBEDDINGS),
            WITHIN | {"template": "order-status", "template_version": "3"},
        ),
    ),
    # It sees no embeddings.
    "langfuse_langchain": Emitter(
        "langfuse",
        (
            *(CHAT, STREAM, FAILURE | {"error_type": "429"}, CLAUDE, CLAUDE_STREAM),
            WITHIN | {"template": "order-status", "template_version": "3"},
        ),
    ),
    "litellm": Emitter(
        "litellm",
        (
            CHAT | {"cost": COSTS["chat"]},
            without(STREAM, "time_to_first_chunk") | {"cost": COSTS["stream"]},
            FAILURE | {"error_type": "RateLimitError"},
            EMBEDDINGS | {"cost": COSTS["embeddings"]},
            CLAUDE | {"cost": COSTS["claude"]},
            without(CLAUDE_STREAM, "time_to_first_chunk") | {"cost": COSTS["claude_stream"]},
            # On the app's own span, whose duration is another.
            without(WITHIN, "duration") | {"cost": COSTS["within"]},
        ),
    ),
    "litellm_v2": Emitter(
        "litellm",
        (
            without(CHAT, "reasoning_tokens") | {"cost": COSTS["chat"]},
            without(STREAM, "reasoning_tokens") | {"cost": COSTS["stream"]},
            FAILURE | {"error_type": "RateLimitError"},
            EMBEDDINGS | {"cost": COSTS["embeddings"]},
            CLAUDE | {"cost": COSTS["claude"]},
            CLAUDE_STREAM | {"cost": COSTS["claude_stream"]},
        ),
    ),
    "llmvitals": Emitter(
        "genai",
        (
            *(CHAT, STREAM, FAILURE, EMBEDDINGS, CLAUDE, CLAUDE_STREAM),
            WITHIN | {"template": "order-status", "template_version": "v3"},
        ),
    ),
    # The costs are those of the package genai-prices, where that is installed.
    "logfire": Emitter(
        "logfire",
        (
            CHAT | {"cost": COSTS["chat"]},
            without(STREAM, "time_to_first_chunk") | {"cost": COSTS["stream"]},
            FAILURE,
            EMBEDDINGS | {"cost": COSTS["embeddings"]},
            CLAUDE | {"cost": COSTS["claude"]},
            WITHIN | {"cost": COSTS["within"]},
        ),
        (CLAUDE_STREAM,),
    ),
    # Of Anthropic's streams it sees the beginning.
    "mlflow": Emitter(
        "mlflow",
        (
            without(CHAT, "reasoning_tokens"),
            without(STREAM, "reasoning_tokens"),
            FAILURE | {"error_type": "RateLimitError"},
            without(EMBEDDINGS, "input_tokens"),
            CLAUDE,
            without(CLAUDE_STREAM, *UNREAD),
            without(WITHIN, "reasoning_tokens") | {"template": "order-status", "template_version": "1"},
        ),
    ),
    "openai_v2": Emitter(
        "genai",
        (
            without(CHAT, *NO_PARTS),
            without(STREAM, *NO_PARTS, "streamed", "time_to_first_chunk"),
            FAILURE | {"error_type": "RateLimitError"},
            EMBEDDINGS,
        ),
    ),
    "openinference_anthropic": Emitter(
        "openinference", (CLAUDE, without(CLAUDE_STREAM, "time_to_first_chunk"), CLAUDE_FAILURE)
    ),
    # It sees no embeddings, and does not tell whether an answer is streamed.
    "openinference_langchain": Emitter(
        "openinference",
        (
            CHAT,
            without(STREAM, "streamed", "time_to_first_chunk"),
            FAILURE | {"error_type": LANGCHAINS_ERROR},
            WITHIN,
        ),
    ),
    "openinference_openai": Emitter(
        "openinference", (CHAT, STREAM, FAILURE, EMBEDDINGS, WITHIN | {"template_version": "v2"})
    ),
    "openlit": Emitter(
        "openlit",
        (
            without(CHAT, "reasoning_tokens") | {"cost": 0.00038},
            without(STREAM, "reasoning_tokens") | {"cost": 0.000385},
            FAILURE | {"error_type": "RateLimitError"},
            EMBEDDINGS,
            without(WITHIN, "reasoning_tokens"),
            CLAUDE,
            CLAUDE_STREAM,
        ),
    ),
    "openllmetry": Emitter(
        "openllmetry",
        (
            CHAT,
            without(STREAM, "reasoning_tokens"),
            FAILURE | {"error_type": "RateLimitError"},
            EMBEDDINGS,
            WITHIN | {"template": "order-status", "template_version": "3"},
            CLAUDE,
            # It adds the one output token with which the stream begins to the total with which it ends.
            without(CLAUDE_STREAM, "time_to_first_chunk") | {"output_tokens": 36},
        ),
    ),
    # In the old style, with other names and a provider as people write it.
    "openllmetry_ollama": Emitter(
        "openllmetry",
        (
            OLLAMA | {"input_tokens": 300, "output_tokens": 40},
            OLLAMA | {"streamed": True, "input_tokens": 310, "output_tokens": 30},
            OLLAMA | {"model": "gpt-5-nano", "failed": True, "error_type": "ResponseError"},
        ),
    ),
    "pydantic_ai": Emitter(
        "pydantic_ai",
        (
            CHAT | {"cost": COSTS["chat"]},
            STREAM | {"cost": COSTS["stream"]},
            FAILURE | {"error_type": "pydantic_ai.exceptions.ModelRateLimitError"},
            EMBEDDINGS | {"cost": COSTS["embeddings"]},
            CLAUDE | {"cost": COSTS["claude"]},
            CLAUDE_STREAM | {"cost": COSTS["claude_stream"]},
        ),
    ),
    "vllm": Emitter("vllm", (without(WITHIN, "reasoning_tokens") | {"provider": "vllm"},)),
}
