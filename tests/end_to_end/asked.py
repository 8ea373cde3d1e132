"""Who is asked about callers: an issuer's introspection endpoint, and a service of authorization."""

from __future__ import annotations

import json
import threading
from base64 import b64encode
from collections.abc import Iterator
from concurrent import futures
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

import grpc

from gateway.policies.auth.ext_authz import authorization_pb2 as pb

CLIENT_ID, CLIENT_SECRET = "gw", "s3cret:%"
_BASIC = "Basic " + b64encode(b"gw:s3cret%3A%25").decode()  # RFC 6749 section 2.3.1


@dataclass
class Endpoint:
    """An introspection endpoint.

    Attributes:
        url: Where it is.
        tokens: Its answers, by token; others are not active. None never comes.
        asked: The tokens that it was asked about.
    """

    url: str
    tokens: dict[str, object] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)


@contextmanager
def endpoint() -> Iterator[Endpoint]:
    """An introspection endpoint, until the block ends."""
    over = threading.Event()

    class Answers(BaseHTTPRequestHandler):
        def do_POST(self):
            form = parse_qs(self.rfile.read(int(self.headers["content-length"])).decode())
            (token,), (hint,) = form["token"], form["token_type_hint"]
            served.asked.append(token)
            if self.headers["authorization"] != _BASIC or hint != "access_token":
                self.send_error(401)
                return
            answer = served.tokens.get(token, {"active": False})
            if answer is None:
                over.wait(60)
                return
            body = json.dumps(answer).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    served = Endpoint(f"http://127.0.0.1:{server.server_port}/introspect")
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield served
    finally:
        over.set()
        server.shutdown()
        thread.join()
        server.server_close()


@dataclass
class Authorizer:
    """A service of authorization.

    Attributes:
        address: Where it is.
        answers: What it answers, by the header `x-want`; None never comes.
        told: The attributes that it was told.
    """

    address: str = ""
    answers: dict[str, pb.CheckResponse | None] = field(default_factory=dict)
    told: list[pb.AttributeContext] = field(default_factory=list)


@contextmanager
def authorizer() -> Iterator[Authorizer]:
    """A service of authorization by grpcio, until the block ends."""
    served, over = Authorizer(), threading.Event()

    def check(request: pb.CheckRequest, context: grpc.ServicerContext) -> pb.CheckResponse:
        served.told.append(request.attributes)
        wanted = request.attributes.request.http.headers.get("x-want", "ok")
        answer = served.answers.get(wanted)
        if answer is None:
            over.wait(60)
            context.abort(grpc.StatusCode.UNAVAILABLE, "late")
        return answer

    method = grpc.unary_unary_rpc_method_handler(
        check, pb.CheckRequest.FromString, pb.CheckResponse.SerializeToString
    )
    name = "envoy.service.auth.v3.Authorization"
    server = grpc.server(futures.ThreadPoolExecutor(8))
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler(name, {"Check": method}),)
    )
    served.address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    try:
        yield served
    finally:
        over.set()
        server.stop(0).wait()
