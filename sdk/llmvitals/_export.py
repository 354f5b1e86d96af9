"""Where telemetry goes: to the app's own OpenTelemetry providers, or to one made from the OTEL_* variables."""

import os
import threading
from collections.abc import Callable, Sequence
from importlib.metadata import entry_points, version
from typing import Any
from urllib.parse import urlsplit

from opentelemetry import _logs, trace

from llmvitals import semconv
from llmvitals._guard import logger


def tracer() -> trace.Tracer:
    """The tracer of the app's tracer provider; of one of ours as long as the app has set none.

    Ours is never set as the global one: an app that sets its own later keeps it, and we follow.
    """
    found: trace.Tracer = _TRACES.instrument(trace.get_tracer_provider())
    return found


def event_logger() -> _logs.Logger:
    """The logger of the app's logger provider, found as `tracer` finds its tracer."""
    found: _logs.Logger = _LOGS.instrument(_logs.get_logger_provider())
    return found


def service() -> dict[str, str]:
    """Name and version of the app's service, as far as the resource of its tracer provider tells them."""
    resource = getattr(tracer(), "resource", None)
    told = resource.attributes if resource else {}
    return {name: str(told[name]) for name in (semconv.SERVICE_NAME, semconv.SERVICE_VERSION) if name in told}


# The SDK is imported when the first call is made, and the exporter (HTTP or gRPC, up to half a second
# of imports) by the exporting thread, so that neither instrument() nor a call waits for it.


def _tracer_provider() -> Any:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider()
    for name in _exporter_names("traces"):
        provider.add_span_processor(BatchSpanProcessor(_LateExporter("traces", name)))  # type: ignore[arg-type]
    return provider


def _logger_provider() -> Any:
    from opentelemetry.sdk._logs import LoggerProvider
    from opentelemetry.sdk._logs.export import BatchLogRecordProcessor

    provider = LoggerProvider()
    for name in _exporter_names("logs"):
        provider.add_log_record_processor(BatchLogRecordProcessor(_LateExporter("logs", name)))  # type: ignore[arg-type]
    return provider


class _Signal:
    """The tracer, or the logger, that goes with the provider that is in force now."""

    def __init__(self, get: str, make: Callable[[], Any]) -> None:
        self._get = get
        self._make = make
        self._lock = threading.Lock()
        self._global: Any = None
        self._instrument: Any = None
        self.own: Any = None

    def instrument(self, provider: Any) -> Any:
        if provider is not self._global:
            # The proxy stands for "the app has set none"; opentelemetry-api exports its class for traces only.
            unset = type(provider).__name__.startswith("Proxy")
            source = (self.own or self._made()) if unset else provider
            self._instrument = getattr(source, self._get)("llmvitals", version("llmvitals"))
            self._global = provider
        return self._instrument

    def _made(self) -> Any:
        with self._lock:
            if self.own is None:
                self.own = self._make()
            return self.own


_TRACES = _Signal("get_tracer", _tracer_provider)
_LOGS = _Signal("get_logger", _logger_provider)


class _LateExporter:
    """A span or log record exporter that is made at its first export, on the exporting thread."""

    def __init__(self, signal: str, name: str) -> None:
        self._signal = signal
        self._name = name
        self._exporter: Any = None
        self._usable = True

    def export(self, batch: Sequence[Any]) -> Any:
        if self._exporter is None and self._usable:
            try:
                self._exporter = _exporter_class(self._signal, self._name)()
            except (ValueError, ImportError) as fault:
                self._usable = False
                logger.error("llmvitals: nothing is exported: %s", fault)
        return self._exporter.export(batch) if self._exporter else None

    def shutdown(self) -> None:
        if self._exporter is not None:
            self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._exporter is None or bool(self._exporter.force_flush(timeout_millis))


def _exporter_names(signal: str) -> list[str]:
    """OTEL_{TRACES,LOGS}_EXPORTER: names with commas between them, `none` for no export, `otlp` by default.

    https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/#exporter-selection
    """
    names = os.environ.get(f"OTEL_{signal.upper()}_EXPORTER") or "otlp"
    return [name.strip() for name in names.split(",") if name.strip() not in ("", "none")]


def _exporter_class(signal: str, name: str) -> Any:
    """The exporter that is installed under `name`; ValueError with the names there are, where it is not."""
    if name == "otlp":
        name = "otlp_proto_grpc" if _protocol(signal) == "grpc" else "otlp_proto_http"
    installed = entry_points(group=f"opentelemetry_{signal}_exporter")
    if name not in installed.names:
        there_are = ", ".join(sorted({"none", *installed.names}))
        raise ValueError(f"OTEL_{signal.upper()}_EXPORTER: no exporter {name!r} is installed; there are: {there_are}")
    return next(iter(installed.select(name=name))).load()


def _protocol(signal: str) -> str:
    """OTEL_EXPORTER_OTLP_PROTOCOL; where it is not set, gRPC for gRPC's own port 4317, and HTTP else.

    HTTP is the specification's default. The port is looked at because so many set an endpoint alone.
    https://opentelemetry.io/docs/specs/otel/protocol/exporter/#specify-protocol
    """

    def variable(name: str) -> str | None:
        one_signal = os.environ.get(f"OTEL_EXPORTER_OTLP_{signal.upper()}_{name}")
        return one_signal or os.environ.get(f"OTEL_EXPORTER_OTLP_{name}")

    return variable("PROTOCOL") or ("grpc" if urlsplit(variable("ENDPOINT") or "").port == 4317 else "http/protobuf")
