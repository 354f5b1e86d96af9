"""Probes are told whether the collector takes data: over gRPC's health checking protocol, and at /readyz."""

import urllib.error
import urllib.request

import grpc
import pytest

# HealthCheckResponse with SERVING, and with NOT_SERVING: https://grpc.io/docs/guides/health-checking/
SERVING, NOT_SERVING = b"\x08\x01", b"\x08\x02"
TRACES = b"opentelemetry.proto.collector.trace.v1.TraceService"


@pytest.fixture
def check(receivers):
    with grpc.insecure_channel(f"127.0.0.1:{receivers.grpc.port}") as channel:
        yield channel.unary_unary("/grpc.health.v1.Health/Check")


@pytest.mark.parametrize("request_", [b"", b"\x0a" + bytes([len(TRACES)]) + TRACES], ids=["the server", "a service"])
def test_a_grpc_probe_is_told_whether_the_collector_takes_data(receivers, check, request_):
    assert check(request_) == NOT_SERVING
    receivers.health.report("collector", None)
    assert check(request_) == SERVING
    receivers.health.report("storage", "the disk is full")
    assert check(request_) == NOT_SERVING


def test_a_probe_of_a_service_that_is_not_there_is_told_so(check):
    with pytest.raises(grpc.RpcError) as raised:
        check(b"\x0a\x05other")
    assert raised.value.code() is grpc.StatusCode.NOT_FOUND


def test_a_collector_that_runs_is_alive_and_ready(collector):
    assert get(collector, "/healthz") == (200, "ok\n")
    assert get(collector, "/readyz") == (200, "ok\n")


def test_a_collector_that_does_not_take_data_says_why_and_is_alive_nevertheless(collector):
    collector._health.report("storage", "the disk is full")
    assert get(collector, "/readyz") == (503, "the disk is full\n")
    assert get(collector, "/healthz") == (200, "ok\n")


def get(collector, path):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{collector.metrics.port}{path}") as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()
