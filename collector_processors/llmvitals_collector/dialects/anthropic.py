"""Anthropic's client, which tells of its calls itself wherever there is a tracer provider.

https://github.com/anthropics/anthropic-sdk-python, checked with anthropic 2.11.0. Its input tokens include cached ones.
"""

from llmvitals_collector.dialects import genai
from llmvitals_collector.dialects.dialect import Dialect
from llmvitals_collector.dialects.table import Source
from llmvitals_collector.records import Mask, Records

SCOPE = "com.anthropic.sdk."

TABLE = (*genai.TABLE, Source("finish_reason", "anthropic.message.stop_reason"))


def _is_mine(records: Records) -> Mask:
    return records.scope_begins(SCOPE)


DIALECT = Dialect("anthropic", _is_mine, TABLE)
