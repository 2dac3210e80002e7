"""OpenTelemetry traces, exported to a receiver of the tests, and the trace ids in the request log."""

import gzip
import json
import sys
from pathlib import Path

import pytest

from accidents.errors import ConfigurationError
from serving.observability.tracing import create_tracing
from tests.http_receiver import Receiver, http_receiver
from tests.serving.in_process import ACCIDENT, in_process_service
from tests.serving.service_process import save_small_model

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


def spans(receiver: Receiver) -> list[dict[str, object]]:
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    result = []
    for path, body in receiver.bodies:
        assert path == "/v1/traces"
        content = ExportTraceServiceRequest.FromString(gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body)
        for group in content.resource_spans:
            service = {one.key: one.value.string_value for one in group.resource.attributes}["service.name"]
            for span in (span for scope in group.scope_spans for span in scope.spans):
                values = {one.key: one.value for one in span.attributes}
                result.append(
                    {
                        "service": service,
                        "name": span.name,
                        "trace": span.trace_id.hex(),
                        "parent": span.parent_span_id.hex(),
                        "route": values["http.route"].string_value,
                        "status": values["http.response.status_code"].int_value,
                        "text": str(span),
                    }
                )
    return result


def test_every_request_is_a_span_without_its_content(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    with http_receiver() as receiver:
        monkeypatch.setenv(ENDPOINT, receiver.url)
        with in_process_service(tmp_path, save_small_model(tmp_path)) as api:
            api.post("/v1/predict", ACCIDENT, headers={"traceparent": f"00-{TRACE}-{PARENT}-01"})
            api.get("/RUE-DES-LILAS/1931?voie=LILAS")
        made = spans(receiver)
    lines = [json.loads(line) for line in capfdbinary.readouterr().err.splitlines() if line.startswith(b"{")]
    logged = {line["route"]: line["trace_id"] for line in lines if line["event"] == "request"}
    (child,) = [one for one in made if one["trace"] == TRACE]
    assert (child["name"], child["parent"], child["status"]) == ("POST /v1/predict", PARENT, 200)
    assert logged["/v1/predict"] == TRACE
    (unknown,) = [one for one in made if one["status"] == 404]
    assert (unknown["name"], unknown["service"]) == ("GET (none)", "accidents")
    assert logged["(none)"] == unknown["trace"]
    assert not any("LILAS" in str(one["text"]) for one in made)


def test_nothing_is_traced_or_imported_without_a_collector(monkeypatch: pytest.MonkeyPatch) -> None:
    assert create_tracing({}) is None
    assert create_tracing({ENDPOINT: ""}) is None
    assert create_tracing({ENDPOINT: "http://127.0.0.1:4318", "OTEL_SDK_DISABLED": "true"}) is None
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    with pytest.raises(ConfigurationError, match=ENDPOINT):
        create_tracing({ENDPOINT: "http://127.0.0.1:4318"})
