"""The conventions in which a span can tell of an LLM call, in the order in which they are tried.

A dialect is a module of one shape, listed here: its table says where the columns of `calls.Calls` stand in a
foreign span, and `is_mine` which spans speak it. What a table can't say, `adjust` does, on whole columns.
"""

from llmvitals_collector.dialects import (
    ai_sdk,
    anthropic,
    genai,
    langfuse,
    litellm,
    logfire,
    mlflow,
    openinference,
    openlit,
    openllmetry,
    pydantic_ai,
    vllm,
)
from llmvitals_collector.dialects.dialect import Dialect

DIALECTS: tuple[Dialect, ...] = (
    openinference.DIALECT,
    langfuse.DIALECT,
    mlflow.DIALECT,
    pydantic_ai.DIALECT,
    litellm.DIALECT,
    openlit.DIALECT,
    logfire.DIALECT,
    ai_sdk.DIALECT,
    anthropic.DIALECT,
    vllm.DIALECT,
    openllmetry.DIALECT,
    genai.DIALECT,  # last: most of the others use its names, too
)
