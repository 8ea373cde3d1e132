"""What one generation serves over WebSocket: its methods, and how their messages are read.

An `open` asks for it once and keeps it: a reload changes what streams that are opened later find.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from gateway.call import RpcError
from gateway.chain import Method
from gateway.errors import error
from gateway.fronts.error_details import AnyToJson, any_of, details_of
from gateway.fronts.http_errors import retry_after
from gateway.fronts.reply_json import ReplyJson
from gateway.fronts.websocket.frames import End, Framing
from gateway.routing.binding import body_fault
from gateway.routing.metadata import HeaderRules
from gateway.schema.codec import Codec, CodecError

Convert: TypeAlias = "Callable[[bytes], bytes]"


class Bodies(NamedTuple):
    """How a method's messages are carried in frames.

    Attributes:
        request: A body to the serialized request message. Raises RpcError.
        reply: A serialized reply message to a body. Raises RpcError.
    """

    request: Convert
    reply: Convert


_SERIALIZED = Bodies(bytes, bytes)


@dataclass(frozen=True, slots=True, eq=False)
class Serving:
    """What one generation serves.

    Attributes:
        methods: By full name.
        codec: The JSON of their messages.
        rules: Which headers pass to backends and back.
        any_to_json: Renders details of errors.
        clock: The event loop's clock, seconds.
        request_id_passes: Whether backends are told the request id, also one made here.
        lease: What must live as long as any call does; nobody looks at it.
        credentials: Names, in lower case, by which providers know callers: none passes to backends
            from the metadata of an `open`, which nobody judges.
    """

    methods: Mapping[str, Method]
    codec: Codec
    rules: HeaderRules
    any_to_json: AnyToJson
    clock: Callable[[], float]
    request_id_passes: bool = False
    lease: object = None
    credentials: frozenset[str] = frozenset()
    _json: dict[str, Bodies] = field(default_factory=dict)

    def method(self, name: str) -> Method:
        """Returns a method.

        Raises:
            RpcError: METHOD_NOT_FOUND.
        """
        method = self.methods.get(name)
        if method is None:
            text = "The method is not served here; its name is like package.Service/Method."
            raise error("METHOD_NOT_FOUND", text)
        return method

    def bodies(self, method: Method, framing: Framing) -> Bodies:
        """Returns how a method's messages are carried."""
        if framing.binary:
            return _SERIALIZED
        name = method.descriptor.name
        bodies = self._json.get(name)
        if bodies is None:
            bodies = self._json[name] = _json_bodies(self.codec, method)
        return bodies

    def end_of(
        self,
        failure: RpcError,
        request_id: str,
        framing: Framing,
        headers: Mapping[str, str] | None = None,
    ) -> End:
        """Returns how a call that failed is told.

        Args:
            failure: What it ended with.
            request_id: What names the call.
            framing: How its frames are written.
            headers: The gateway's own that go with the reply and were not told before.
        """
        details = [any_of(each).SerializeToString() for each in details_of(failure, request_id)]
        if not framing.binary:
            details = [self.any_to_json(each) for each in details]
        own = dict(headers or {})
        own.update((name.lower(), value) for name, value in failure.headers.items())
        seconds = retry_after(failure.status.details)
        if seconds is not None:
            own.setdefault("retry-after", str(seconds))
        trailers = [*own.items(), *self.rules.response(failure.metadata)]
        return End(failure.status.code, failure.status.message, details, trailers)


def _json_bodies(codec: Codec, method: Method) -> Bodies:
    given = codec.message(method.descriptor.input)

    def request(body: bytes) -> bytes:
        try:
            return given.to_wire(given.from_json(body))
        except CodecError as wrong:
            raise body_fault(wrong) from None

    return Bodies(request, ReplyJson(codec, method.descriptor.output))
