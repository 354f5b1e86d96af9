"""gRPC's health checking protocol, by which probes ask. https://grpc.io/docs/guides/health-checking/

Its two messages are a name and an enum, so they are compared as bytes. `Watch` would take a thread from the receiver
for each client that watches; it is not there, and clients then take the server for healthy, as the protocol says.
"""

from collections.abc import Iterable

import grpc

from llmvitals_collector.health import Health

_CHECK = "/grpc.health.v1.Health/Check"
# HealthCheckResponse with `status` at SERVING and at NOT_SERVING
_SERVING, _NOT_SERVING = b"\x08\x01", b"\x08\x02"


class HealthHandler(grpc.GenericRpcHandler):
    """Answers probes for the server as a whole, which has no name, and for each of its services."""

    def __init__(self, health: Health, services: Iterable[str]) -> None:
        self._health = health
        # HealthCheckRequest with `service` at each of the names, which are short
        self._known = {b"", *(bytes([0x0A, len(name)]) + name.encode() for name in services)}
        self._handler: grpc.RpcMethodHandler[bytes, bytes] = grpc.unary_unary_rpc_method_handler(self._check)

    def service(self, details: grpc.HandlerCallDetails) -> "grpc.RpcMethodHandler[bytes, bytes] | None":
        return self._handler if details.method == _CHECK else None

    def _check(self, request: bytes, context: grpc.ServicerContext) -> bytes:
        if request not in self._known:
            context.abort(grpc.StatusCode.NOT_FOUND, "there is no such service")
        return _NOT_SERVING if self._health.problem else _SERVING
