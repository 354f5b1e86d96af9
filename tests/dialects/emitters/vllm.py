"""vLLM's server, which needs a GPU: the spans that its source says it makes, made by hand.

https://github.com/vllm-project/vllm (vllm/tracing/utils.py, vllm/v1/engine/output_processor.py)
"""

import time

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind

PACKAGE = "opentelemetry-sdk"

provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))

arrived = time.time_ns() - 300_000_000
span = provider.get_tracer("vllm.llm_engine").start_span("llm_request", kind=SpanKind.SERVER, start_time=arrived)
span.set_attributes(
    {
        "gen_ai.latency.time_to_first_token": 0.1,
        "gen_ai.latency.e2e": 0.3,
        "gen_ai.latency.time_in_queue": 0.02,
        "gen_ai.latency.time_in_model_prefill": 0.08,
        "gen_ai.latency.time_in_model_decode": 0.2,
        "gen_ai.latency.time_in_model_inference": 0.28,
        "gen_ai.usage.prompt_tokens": 900,
        "gen_ai.usage.completion_tokens": 20,
        "gen_ai.request.id": "chatcmpl-1",
        "gen_ai.request.n": 1,
        "gen_ai.request.max_tokens": 256,
        "gen_ai.request.temperature": 0.7,
        "gen_ai.response.model": "gpt-5",
    }
)
span.end(arrived + 300_000_000)
provider.shutdown()
