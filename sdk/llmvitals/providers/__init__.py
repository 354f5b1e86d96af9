"""The client libraries that llmvitals knows, a file each."""

from llmvitals._adapter import Adapter
from llmvitals.providers import anthropic, openai

ADAPTERS: tuple[Adapter, ...] = (anthropic.ADAPTER, openai.ADAPTER)
