from google.protobuf import any_pb2 as _any_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ClientFrame(_message.Message):
    __slots__ = ("hello", "open", "message", "credit", "cancel", "auth", "ping", "pong")
    HELLO_FIELD_NUMBER: _ClassVar[int]
    OPEN_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    CREDIT_FIELD_NUMBER: _ClassVar[int]
    CANCEL_FIELD_NUMBER: _ClassVar[int]
    AUTH_FIELD_NUMBER: _ClassVar[int]
    PING_FIELD_NUMBER: _ClassVar[int]
    PONG_FIELD_NUMBER: _ClassVar[int]
    hello: Hello
    open: Open
    message: Message
    credit: Credit
    cancel: Cancel
    auth: Auth
    ping: Ping
    pong: Pong
    def __init__(self, hello: _Optional[_Union[Hello, _Mapping]] = ..., open: _Optional[_Union[Open, _Mapping]] = ..., message: _Optional[_Union[Message, _Mapping]] = ..., credit: _Optional[_Union[Credit, _Mapping]] = ..., cancel: _Optional[_Union[Cancel, _Mapping]] = ..., auth: _Optional[_Union[Auth, _Mapping]] = ..., ping: _Optional[_Union[Ping, _Mapping]] = ..., pong: _Optional[_Union[Pong, _Mapping]] = ...) -> None: ...

class ServerFrame(_message.Message):
    __slots__ = ("welcome", "headers", "message", "credit", "status", "auth_expiring", "auth_ok", "ping", "pong", "goaway")
    WELCOME_FIELD_NUMBER: _ClassVar[int]
    HEADERS_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    CREDIT_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    AUTH_EXPIRING_FIELD_NUMBER: _ClassVar[int]
    AUTH_OK_FIELD_NUMBER: _ClassVar[int]
    PING_FIELD_NUMBER: _ClassVar[int]
    PONG_FIELD_NUMBER: _ClassVar[int]
    GOAWAY_FIELD_NUMBER: _ClassVar[int]
    welcome: Welcome
    headers: Headers
    message: Message
    credit: Credit
    status: Status
    auth_expiring: AuthExpiring
    auth_ok: AuthOk
    ping: Ping
    pong: Pong
    goaway: Goaway
    def __init__(self, welcome: _Optional[_Union[Welcome, _Mapping]] = ..., headers: _Optional[_Union[Headers, _Mapping]] = ..., message: _Optional[_Union[Message, _Mapping]] = ..., credit: _Optional[_Union[Credit, _Mapping]] = ..., status: _Optional[_Union[Status, _Mapping]] = ..., auth_expiring: _Optional[_Union[AuthExpiring, _Mapping]] = ..., auth_ok: _Optional[_Union[AuthOk, _Mapping]] = ..., ping: _Optional[_Union[Ping, _Mapping]] = ..., pong: _Optional[_Union[Pong, _Mapping]] = ..., goaway: _Optional[_Union[Goaway, _Mapping]] = ...) -> None: ...

class Hello(_message.Message):
    __slots__ = ("token", "features", "session", "seen", "granted")
    class SeenEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: int
        value: int
        def __init__(self, key: _Optional[int] = ..., value: _Optional[int] = ...) -> None: ...
    class GrantedEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: int
        value: int
        def __init__(self, key: _Optional[int] = ..., value: _Optional[int] = ...) -> None: ...
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    FEATURES_FIELD_NUMBER: _ClassVar[int]
    SESSION_FIELD_NUMBER: _ClassVar[int]
    SEEN_FIELD_NUMBER: _ClassVar[int]
    GRANTED_FIELD_NUMBER: _ClassVar[int]
    token: str
    features: _containers.RepeatedScalarFieldContainer[str]
    session: str
    seen: _containers.ScalarMap[int, int]
    granted: _containers.ScalarMap[int, int]
    def __init__(self, token: _Optional[str] = ..., features: _Optional[_Iterable[str]] = ..., session: _Optional[str] = ..., seen: _Optional[_Mapping[int, int]] = ..., granted: _Optional[_Mapping[int, int]] = ...) -> None: ...

class Welcome(_message.Message):
    __slots__ = ("session", "ping_ms", "limits", "token_s", "resume_ms", "resumed", "lost", "last_id")
    SESSION_FIELD_NUMBER: _ClassVar[int]
    PING_MS_FIELD_NUMBER: _ClassVar[int]
    LIMITS_FIELD_NUMBER: _ClassVar[int]
    TOKEN_S_FIELD_NUMBER: _ClassVar[int]
    RESUME_MS_FIELD_NUMBER: _ClassVar[int]
    RESUMED_FIELD_NUMBER: _ClassVar[int]
    LOST_FIELD_NUMBER: _ClassVar[int]
    LAST_ID_FIELD_NUMBER: _ClassVar[int]
    session: str
    ping_ms: int
    limits: Limits
    token_s: int
    resume_ms: int
    resumed: _containers.RepeatedCompositeFieldContainer[Resumed]
    lost: _containers.RepeatedScalarFieldContainer[int]
    last_id: int
    def __init__(self, session: _Optional[str] = ..., ping_ms: _Optional[int] = ..., limits: _Optional[_Union[Limits, _Mapping]] = ..., token_s: _Optional[int] = ..., resume_ms: _Optional[int] = ..., resumed: _Optional[_Iterable[_Union[Resumed, _Mapping]]] = ..., lost: _Optional[_Iterable[int]] = ..., last_id: _Optional[int] = ...) -> None: ...

class Limits(_message.Message):
    __slots__ = ("streams", "message_size", "credit", "buffer", "opens", "session_buffer")
    STREAMS_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    CREDIT_FIELD_NUMBER: _ClassVar[int]
    BUFFER_FIELD_NUMBER: _ClassVar[int]
    OPENS_FIELD_NUMBER: _ClassVar[int]
    SESSION_BUFFER_FIELD_NUMBER: _ClassVar[int]
    streams: int
    message_size: int
    credit: int
    buffer: int
    opens: float
    session_buffer: int
    def __init__(self, streams: _Optional[int] = ..., message_size: _Optional[int] = ..., credit: _Optional[int] = ..., buffer: _Optional[int] = ..., opens: _Optional[float] = ..., session_buffer: _Optional[int] = ...) -> None: ...

class Resumed(_message.Message):
    __slots__ = ("id", "seq", "granted")
    ID_FIELD_NUMBER: _ClassVar[int]
    SEQ_FIELD_NUMBER: _ClassVar[int]
    GRANTED_FIELD_NUMBER: _ClassVar[int]
    id: int
    seq: int
    granted: int
    def __init__(self, id: _Optional[int] = ..., seq: _Optional[int] = ..., granted: _Optional[int] = ...) -> None: ...

class Open(_message.Message):
    __slots__ = ("id", "method", "metadata", "timeout_ms", "credit", "body", "end")
    ID_FIELD_NUMBER: _ClassVar[int]
    METHOD_FIELD_NUMBER: _ClassVar[int]
    METADATA_FIELD_NUMBER: _ClassVar[int]
    TIMEOUT_MS_FIELD_NUMBER: _ClassVar[int]
    CREDIT_FIELD_NUMBER: _ClassVar[int]
    BODY_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    id: int
    method: str
    metadata: _containers.RepeatedCompositeFieldContainer[Metadata]
    timeout_ms: int
    credit: int
    body: bytes
    end: bool
    def __init__(self, id: _Optional[int] = ..., method: _Optional[str] = ..., metadata: _Optional[_Iterable[_Union[Metadata, _Mapping]]] = ..., timeout_ms: _Optional[int] = ..., credit: _Optional[int] = ..., body: _Optional[bytes] = ..., end: _Optional[bool] = ...) -> None: ...

class Metadata(_message.Message):
    __slots__ = ("key", "text", "binary")
    KEY_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    BINARY_FIELD_NUMBER: _ClassVar[int]
    key: str
    text: str
    binary: bytes
    def __init__(self, key: _Optional[str] = ..., text: _Optional[str] = ..., binary: _Optional[bytes] = ...) -> None: ...

class Headers(_message.Message):
    __slots__ = ("id", "metadata", "seq")
    ID_FIELD_NUMBER: _ClassVar[int]
    METADATA_FIELD_NUMBER: _ClassVar[int]
    SEQ_FIELD_NUMBER: _ClassVar[int]
    id: int
    metadata: _containers.RepeatedCompositeFieldContainer[Metadata]
    seq: int
    def __init__(self, id: _Optional[int] = ..., metadata: _Optional[_Iterable[_Union[Metadata, _Mapping]]] = ..., seq: _Optional[int] = ...) -> None: ...

class Message(_message.Message):
    __slots__ = ("id", "body", "end", "seq")
    ID_FIELD_NUMBER: _ClassVar[int]
    BODY_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    SEQ_FIELD_NUMBER: _ClassVar[int]
    id: int
    body: bytes
    end: bool
    seq: int
    def __init__(self, id: _Optional[int] = ..., body: _Optional[bytes] = ..., end: _Optional[bool] = ..., seq: _Optional[int] = ...) -> None: ...

class Credit(_message.Message):
    __slots__ = ("id", "n", "seq")
    ID_FIELD_NUMBER: _ClassVar[int]
    N_FIELD_NUMBER: _ClassVar[int]
    SEQ_FIELD_NUMBER: _ClassVar[int]
    id: int
    n: int
    seq: int
    def __init__(self, id: _Optional[int] = ..., n: _Optional[int] = ..., seq: _Optional[int] = ...) -> None: ...

class Cancel(_message.Message):
    __slots__ = ("id",)
    ID_FIELD_NUMBER: _ClassVar[int]
    id: int
    def __init__(self, id: _Optional[int] = ...) -> None: ...

class Status(_message.Message):
    __slots__ = ("id", "code", "message", "details", "trailers", "seq")
    ID_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    DETAILS_FIELD_NUMBER: _ClassVar[int]
    TRAILERS_FIELD_NUMBER: _ClassVar[int]
    SEQ_FIELD_NUMBER: _ClassVar[int]
    id: int
    code: int
    message: str
    details: _containers.RepeatedCompositeFieldContainer[_any_pb2.Any]
    trailers: _containers.RepeatedCompositeFieldContainer[Metadata]
    seq: int
    def __init__(self, id: _Optional[int] = ..., code: _Optional[int] = ..., message: _Optional[str] = ..., details: _Optional[_Iterable[_Union[_any_pb2.Any, _Mapping]]] = ..., trailers: _Optional[_Iterable[_Union[Metadata, _Mapping]]] = ..., seq: _Optional[int] = ...) -> None: ...

class Auth(_message.Message):
    __slots__ = ("token",)
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    token: str
    def __init__(self, token: _Optional[str] = ...) -> None: ...

class AuthExpiring(_message.Message):
    __slots__ = ("token_s",)
    TOKEN_S_FIELD_NUMBER: _ClassVar[int]
    token_s: int
    def __init__(self, token_s: _Optional[int] = ...) -> None: ...

class AuthOk(_message.Message):
    __slots__ = ("token_s",)
    TOKEN_S_FIELD_NUMBER: _ClassVar[int]
    token_s: int
    def __init__(self, token_s: _Optional[int] = ...) -> None: ...

class Ping(_message.Message):
    __slots__ = ("data",)
    DATA_FIELD_NUMBER: _ClassVar[int]
    data: str
    def __init__(self, data: _Optional[str] = ...) -> None: ...

class Pong(_message.Message):
    __slots__ = ("data",)
    DATA_FIELD_NUMBER: _ClassVar[int]
    data: str
    def __init__(self, data: _Optional[str] = ...) -> None: ...

class Goaway(_message.Message):
    __slots__ = ("reason", "reconnect_ms")
    REASON_FIELD_NUMBER: _ClassVar[int]
    RECONNECT_MS_FIELD_NUMBER: _ClassVar[int]
    reason: str
    reconnect_ms: int
    def __init__(self, reason: _Optional[str] = ..., reconnect_ms: _Optional[int] = ...) -> None: ...
