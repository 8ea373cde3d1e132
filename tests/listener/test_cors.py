"""Pages of other origins: who may read replies, and preflights (WHATWG Fetch, CORS protocol)."""

import pytest

from gateway.http import Headers, Request
from gateway.http.exchange import BodyError
from gateway.listener.cors import EXPOSED, METHODS, Cors

APP = "https://app.example"
CORS = Cors((APP, "https://*.shop.example", "http://localhost:3000"), expose=("x-total",))
USERS = Cors((APP,), credentials=True)
EVERYBODY = Cors(("*",))
ALLOWED = "access-control-allow-origin"
VARY = ("vary", "origin")


def asked(*origins, method="GET", **headers):
    named = [(name.replace("_", "-"), value) for name, value in headers.items()]
    return Request(method, "/", None, Headers([*(("origin", each) for each in origins), *named]))


def allowed(cors, *origins):
    return dict(cors.headers_for(asked(*origins))).get(ALLOWED)


@pytest.mark.parametrize(
    "origin",
    [
        APP,
        "https://app.example:443",
        "https://eu.shop.example",
        "https://a.eu.shop.example",
        "http://localhost:3000",
    ],
)
def test_who_is_listed_may_read(origin):
    told = CORS.headers_for(asked(origin))
    assert dict(told)[ALLOWED] == origin
    assert VARY in told
    assert "access-control-allow-credentials" not in dict(told)


@pytest.mark.parametrize(
    "origin",
    [
        pytest.param("https://evil.example", id="another"),
        pytest.param("http://app.example", id="another-scheme"),
        pytest.param("https://app.example:8443", id="another-port"),
        pytest.param("https://app.example.evil", id="a-longer-host"),
        pytest.param("https://evilapp.example", id="a-host-that-ends-so"),
        pytest.param("https://shop.example", id="not-below"),
        pytest.param("https://evil-shop.example", id="not-below-but-like-it"),
        pytest.param("null", id="opaque"),
        pytest.param("", id="empty"),
        pytest.param("https://" + "a." * 200 + "shop.example", id="too-long"),
    ],
)
@pytest.mark.parametrize("cors", [CORS, USERS], ids=["readers", "users"])
def test_nobody_else_may(cors, origin):
    assert list(cors.headers_for(asked(origin))) == [VARY]
    assert not cors.acts_as_user(asked(origin).headers)
    assert not cors.is_preflight(
        asked(origin, method="OPTIONS", access_control_request_method="PUT")
    )


def test_two_origins_are_none():
    assert list(CORS.headers_for(asked(APP, APP))) == [VARY]
    assert not USERS.acts_as_user(asked(APP, APP).headers)


def test_a_reply_to_no_page_says_that_it_would_depend_on_one():
    """Else a cache would give it to a page, which could not read it (Fetch, HTTP caches)."""
    assert list(CORS.headers_for(asked())) == [VARY]


@pytest.mark.parametrize("origins", [(), (APP,), ("null",)])
def test_all_pages_may_read_what_is_the_same_for_all(origins):
    told = dict(EVERYBODY.headers_for(asked(*origins)))
    assert told == {ALLOWED: "*", "access-control-expose-headers": ", ".join(EXPOSED)}


def test_pages_that_may_act_as_the_user():
    told = dict(USERS.headers_for(asked(APP)))
    assert told["access-control-allow-credentials"] == "true"
    assert told[ALLOWED] == APP
    assert USERS.acts_as_user(asked(APP).headers)
    assert not CORS.acts_as_user(asked(APP).headers)


def test_no_page_of_all_sites_acts_as_the_user():
    with pytest.raises(ValueError, match="all origins"):
        Cors(("*",), credentials=True)


def test_pages_may_read_the_gateways_own_headers_and_what_is_listed():
    exposed = dict(CORS.headers_for(asked(APP)))["access-control-expose-headers"].split(", ")
    assert exposed == [*EXPOSED, "x-total"]
    assert {"x-request-id", "etag", "retry-after", "ratelimit", "location"} <= {*exposed}


def test_origins_are_remembered_within_bounds():
    cors = Cors(("https://*.example",))
    for number in range(1000):
        origin = f"https://h{number}.example"
        assert allowed(cors, origin) == origin
    assert len(cors._known) <= 256


def preflight(cors, *, allow=None, **headers):
    request = asked(APP, method="OPTIONS", access_control_request_method="PATCH", **headers)
    assert cors.is_preflight(request)
    given = [("x-request-id", "7"), ("content-type", "text/plain")]
    found = cors.preflight(request, [*given, ("Allow", allow)] if allow else given)
    assert len({name for name, _ in found}) == len(found)
    return dict(found)


def test_a_preflight_gets_the_paths_own_methods():
    told = preflight(CORS, allow="GET, PATCH", access_control_request_headers="x-a, authorization")
    assert told == {
        "x-request-id": "7",
        ALLOWED: APP,
        "access-control-allow-methods": "GET, PATCH",
        "access-control-allow-headers": "x-a, authorization",
        "access-control-max-age": "600",
        "vary": "origin, access-control-request-method, access-control-request-headers",
    }


def test_a_preflight_to_a_path_that_is_none_lets_the_call_say_so():
    assert preflight(CORS)["access-control-allow-methods"] == ", ".join(METHODS)


def test_methods_and_headers_that_are_listed_are_all():
    cors = Cors((APP,), max_age=5, methods=("GET", "PUT"), headers=("authorization",))
    told = preflight(cors, allow="GET, DELETE", access_control_request_headers="x-evil")
    assert told["access-control-allow-methods"] == "GET, PUT"
    assert told["access-control-allow-headers"] == "authorization"
    assert told["access-control-max-age"] == "5"


def test_a_preflight_for_a_user():
    assert preflight(USERS)["access-control-allow-credentials"] == "true"


@pytest.mark.parametrize(
    "request_",
    [
        pytest.param(asked(APP, method="OPTIONS"), id="options-of-a-page"),
        pytest.param(asked(method="OPTIONS", access_control_request_method="PUT"), id="no-page"),
        pytest.param(asked(APP, access_control_request_method="PUT"), id="no-options"),
    ],
)
def test_what_is_no_preflight(request_):
    assert not CORS.is_preflight(request_)


# Through real sockets.

TEXT = [("Content-Type", "text/plain")]


@pytest.fixture
def sharing(listen, connect):
    async def open_both(handler, cors=CORS, **limits):
        listener = await listen(handler, **limits)
        listener.offer((), cors)
        return await connect(listener)

    return open_both


@pytest.mark.parametrize("status", [200, 304, 401, 404, 500])
async def test_errors_can_be_read_too(sharing, status):
    client = await sharing(lambda exchange: exchange.respond(status, TEXT, b"why"))
    reply = await client.get("/", f"Origin: {APP}")
    assert (reply.status, reply.header(ALLOWED)) == (status, APP)


async def test_a_bug_can_be_read_too(sharing, caplog):
    def handler(exchange):
        raise RuntimeError

    reply = await (await sharing(handler)).get("/", f"Origin: {APP}")
    assert (reply.status, reply.header(ALLOWED), reply.reason) == (500, APP, "INTERNAL")
    assert len(caplog.records) == 1


async def test_a_body_that_is_too_large(sharing):
    def handler(exchange):
        def failed(error: BodyError):
            exchange.respond(413, TEXT, error.fault.value.encode())

        exchange.collect(3, lambda body: None, failed)

    client = await sharing(handler)
    await client.send(
        f"POST / HTTP/1.1\r\nHost: a\r\nOrigin: {APP}\r\nContent-Length: 4\r\n\r\n".encode()
    )
    reply = await client.reply()
    assert (reply.status, reply.header(ALLOWED)) == (413, APP)


async def test_a_stream(sharing):
    def handler(exchange):
        async def work():
            exchange.start(200, TEXT)
            await exchange.write(b"part")
            await exchange.finish()

        exchange.spawn(work())

    reply = await (await sharing(handler)).get("/", f"Origin: {APP}")
    assert (reply.body, reply.header(ALLOWED), reply.header("vary")) == (b"part", APP, "origin")


@pytest.mark.parametrize("status", [204, 404, 421])
async def test_a_preflight(sharing, status):
    client = await sharing(
        lambda exchange: exchange.respond(status, [*TEXT, ("allow", "PUT")], b"gone")
    )
    await client.send(
        f"OPTIONS /x HTTP/1.1\r\nHost: a\r\nOrigin: {APP}\r\n"
        "Access-Control-Request-Method: PUT\r\n\r\n".encode()
    )
    reply = await client.reply()
    assert reply.status == 204
    assert reply.header("access-control-allow-methods") == "PUT"
    assert reply.header("content-type") is None


def no_socket(exchange):
    exchange.websocket()


async def test_an_error_of_the_websockets_path(sharing):
    reply = await (await sharing(no_socket)).get("/ws", f"Origin: {APP}")
    assert (reply.status, reply.header(ALLOWED)) == (426, APP)
    assert reply.header("vary") == "origin"


async def test_a_preflight_of_the_websockets_path(sharing):
    client = await sharing(no_socket)
    await client.send(
        f"OPTIONS /ws HTTP/1.1\r\nHost: a\r\nOrigin: {APP}\r\n"
        "Access-Control-Request-Method: GET\r\n\r\n".encode()
    )
    reply = await client.reply()
    assert (reply.status, reply.header(ALLOWED)) == (204, APP)
    assert reply.header("content-length") is None
    assert await client.rest() == b""


async def test_whom_pages_act_as_is_known_to_whoever_answers(sharing):
    seen = []

    def handler(exchange):
        seen.append(exchange.request.is_let_in)
        exchange.respond(200, TEXT, b"")

    client = await sharing(handler, USERS)
    await client.get("/", f"Origin: {APP}")
    await client.get("/", "Origin: https://evil.example")
    await client.get()
    assert seen == [True, False, False]


async def test_it_can_be_switched_on_and_off_while_requests_come(listen, connect, text):
    listener = await listen(lambda exchange: text(exchange, 200, b""))
    client = await connect(listener)
    found = []
    for cors in (None, CORS, None):
        listener.offer((), cors)
        found.append((await client.get("/", f"Origin: {APP}")).header(ALLOWED))
    assert found == [None, APP, None]
