"""Cerebras' client: chat completions and legacy completions."""

from dataclasses import replace

from llmvitals import _stainless
from llmvitals._adapter import Adapter
from llmvitals.formats import chat_completions, completions

ADAPTERS = (
    Adapter(
        provider="cerebras",
        module="cerebras.cloud.sdk._base_client",
        operations={
            "/v1/chat/completions": chat_completions.OPERATION,
            # The last chunk has the usage, unasked: https://github.com/Cerebras/cerebras-cloud-sdk-python#streaming-responses
            "/v1/completions": replace(completions.OPERATION, usage_request=None),
        },
        install=_stainless.install,
    ),
)
