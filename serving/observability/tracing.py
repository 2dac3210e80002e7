"""OpenTelemetry traces: one server span a request, where the user names a collector. Without one, nothing is imported.

`opentelemetry-instrumentation-asgi` is not used: it records path and query of a request, which may hold personal data.
"""

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from starlette.types import Scope

from accidents.errors import ConfigurationError

if TYPE_CHECKING:
    from opentelemetry.trace import Span

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
_CONTEXT_HEADERS = (b"traceparent", b"tracestate")
_SERVER_ERROR = 500


class Tracing:
    """Exports spans over OTLP (HTTP, protobuf); the SDK reads the variables `OTEL_…`."""

    def __init__(self) -> None:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import SERVICE_NAME, OTELResourceDetector, Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        resource = Resource({SERVICE_NAME: "accidents"}).merge(OTELResourceDetector().detect())
        self._provider = TracerProvider(resource=resource)
        self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        self._tracer = self._provider.get_tracer("accidents")
        self._propagator = TraceContextTextMapPropagator()

    def start_span(self, scope: Scope, request_id: str) -> "Span":
        """Start the span of a request, as a child of the one in its header `traceparent` if there is one."""
        from opentelemetry.trace import SpanKind

        headers = scope["headers"]
        carrier = {name.decode(): value.decode("latin-1") for name, value in headers if name in _CONTEXT_HEADERS}
        attributes = {"http.request.method": scope["method"], "accidents.request_id": request_id}
        context = self._propagator.extract(carrier)
        return self._tracer.start_span("request", context=context, kind=SpanKind.SERVER, attributes=attributes)

    def close(self) -> None:
        """Export what is left."""
        self._provider.shutdown()


def create_tracing(environment: Mapping[str, str] = os.environ) -> Tracing | None:
    """Tracing, where the environment names a collector; else None.

    Raises:
        ConfigurationError: the packages for it are not installed.
    """
    name = next((name for name in _ENDPOINTS if environment.get(name)), None)
    if name is None or environment.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return None
    try:
        return Tracing()
    except ImportError:
        message = f"{name} is set and the exporter is not installed: pip install '.[tracing]', or unset it"
        raise ConfigurationError(message) from None


def end_span(span: "Span", method: str, route: str, status: int) -> None:
    """Name a span after its route, and end it; an error where the service failed."""
    from opentelemetry.trace import StatusCode

    attributes: dict[str, Any] = {"http.route": route, "http.response.status_code": status}
    span.set_attributes(attributes)
    if status >= _SERVER_ERROR:
        span.set_status(StatusCode.ERROR)
    span.update_name(f"{method} {route}")
    span.end()


def trace_id(span: "Span") -> str:
    """The id of the trace of a span, 32 hexadecimal digits."""
    return f"{span.get_span_context().trace_id:032x}"
