"""Two collectors in a row count the same."""

import json
import urllib.request

import msgspec
import pytest
from google.protobuf import json_format
from prometheus_client import parser

from llmvitals import semconv
from llmvitals_collector.decode import Encoding
from llmvitals_collector.forward.config import ForwardConfig
from llmvitals_collector.pipeline import Pipeline


def post(pipeline, path, body, encoding):
    headers = {"Content-Type": encoding.value}
    request = urllib.request.Request(f"http://127.0.0.1:{pipeline.http.port}{path}", data=body, headers=headers)
    urllib.request.urlopen(request).close()


def counted(pipeline):
    """The series that a collector shows; in which order depends on what it counted together."""
    with urllib.request.urlopen(f"http://127.0.0.1:{pipeline.metrics.port}/metrics") as answer:
        families = parser.text_string_to_metric_families(answer.read().decode())
        names = {family.name.removesuffix("_total") for family in semconv.COUNTED_FAMILIES}
        samples = [sample for family in families if family.name in names for sample in family.samples]
    return sorted(samples, key=lambda sample: (sample.name, sorted(sample.labels.items())))


@pytest.mark.parametrize("protocol", ["http", "grpc"])
def test_a_collector_behind_a_collector_has_the_same_series(config, collector, spans, events, protocol):
    port = getattr(collector, protocol).port
    backend = ForwardConfig(endpoint=f"http://127.0.0.1:{port}", protocol=protocol)
    first = Pipeline(msgspec.structs.replace(config, forward={"next": backend}))
    first.start()
    post(first, "/v1/traces", spans({}, {semconv.REQUEST_MODEL: "other"}).SerializeToString(), Encoding.PROTOBUF)
    feedback = {semconv.EVALUATION_NAME: semconv.USER_FEEDBACK, semconv.EVALUATION_SCORE_LABEL: "thumb_up"}
    post(first, "/v1/logs", events((semconv.EVALUATION_RESULT, feedback)).SerializeToString(), Encoding.PROTOBUF)
    document = json_format.MessageToDict(spans({}), use_integers_for_enums=True)
    (span,) = document["resourceSpans"][0]["scopeSpans"][0]["spans"]
    span |= {"traceId": "5b8efff798038103d269b633813fc60c", "spanId": "eee19b7ec3c1b174"}
    post(first, "/v1/traces", json.dumps(document).encode(), Encoding.JSON)
    series = counted(first)
    first.stop()
    assert counted(collector) == series
    assert sum(sample.value for sample in series if sample.name == semconv.CALLS.name) == 3
    assert sum(sample.value for sample in series if sample.name == semconv.FEEDBACK.name) == 1
