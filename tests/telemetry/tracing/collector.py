"""A collector: takes spans by OTLP over HTTP, with the protos of OpenTelemetry."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

KINDS = {1: "INTERNAL", 2: "SERVER", 3: "CLIENT"}
ERROR = 2


@dataclass(frozen=True)
class Got:
    """A span that it was given."""

    trace: str
    id: str
    parent: str
    name: str
    kind: str
    failed: bool
    began: int
    ended: int
    said: dict
    events: list[str]
    links: list[str]
    state: str
    resource: dict


@dataclass
class Collector:
    """What it was given.

    Attributes:
        url: Where it is.
        spans: The spans, as they came.
        headers: Those of each request.
        status: What it answers.
    """

    url: str = ""
    spans: list[Got] = field(default_factory=list)
    headers: list[dict] = field(default_factory=list)
    status: int = 200

    def named(self, name: str) -> list[Got]:
        """The spans of requests with this id."""
        return [each for each in self.spans if each.said.get("gateway.request_id") == name]

    def below(self, span: Got) -> list[Got]:
        """The spans right below one."""
        return [each for each in self.spans if each.parent == span.id and each.trace == span.trace]


@contextmanager
def collector() -> Iterator[Collector]:
    """A collector on a free port, until the block ends."""
    made = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["content-length"]))
            if self.headers.get("content-encoding") == "gzip":
                body = gzip.decompress(body)
            assert self.headers["content-type"] == "application/x-protobuf"
            assert self.path.partition("?")[0] == "/v1/traces"
            made.headers.append({key.lower(): value for key, value in self.headers.items()})
            if made.status == 200:
                made.spans.extend(_read(ExportTraceServiceRequest.FromString(body)))
            answer = ExportTraceServiceResponse().SerializeToString()
            self.send_response(made.status)
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.url = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _read(request: ExportTraceServiceRequest) -> Iterator[Got]:
    for resource in request.resource_spans:
        about = _attributes(resource.resource.attributes)
        for scope in resource.scope_spans:
            assert scope.scope.name == "gateway"
            for span in scope.spans:
                yield Got(
                    span.trace_id.hex(),
                    span.span_id.hex(),
                    span.parent_span_id.hex(),
                    span.name,
                    KINDS[span.kind],
                    span.status.code == ERROR,
                    span.start_time_unix_nano,
                    span.end_time_unix_nano,
                    _attributes(span.attributes),
                    [each.name for each in span.events],
                    [each.span_id.hex() for each in span.links],
                    span.trace_state,
                    about,
                )


def _attributes(given) -> dict:
    return {each.key: getattr(each.value, each.value.WhichOneof("value")) for each in given}
