"""Callers known by certificates, by asking the issuer of their tokens, and by asking a service."""

from __future__ import annotations

import asyncio
import signal
import socket as sockets
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import pytest
import trustme
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from gateway.policies.auth.ext_authz import authorization_pb2 as pb
from tests.end_to_end.asked import CLIENT_ID, CLIENT_SECRET, authorizer, endpoint
from tests.end_to_end.sockets import PATIENCE, WHO, bare, config, socket
from tests.end_to_end.system import error_of, gateway, reason_of

PATH = f"/{WHO}"
FORWARD = {"subject": "x-subject"}
SPIFFE = "spiffe://shop.example/billing"


def closed(shop, provider, **sections):
    """A config whose only provider is called `it`."""
    made = config(shop)
    made["auth"] = {"providers": {"it": provider}, "forward": FORWARD}
    return made | sections


def heard(answer):
    """What the backend heard, by key."""
    found = {}
    for entry in answer["metadata"]:
        found.setdefault(entry["key"], []).append(entry.get("text"))
    return found


async def asks(url, headers=None, **options):
    """The status of a call by REST, what the backend heard or the error, and the reply's headers."""
    async with (
        aiohttp.ClientSession(url) as client,
        client.post(PATH, json={}, headers=headers, **options) as response,
    ):
        if response.status == 200:
            return 200, heard(await response.json()), response.headers
        return response.status, await error_of(response), response.headers


async def refused(url, headers=None):
    """The status and the reason of a refusal by REST."""
    status, error, _ = await asks(url, headers)
    return status, reason_of(error)


async def asks_by_socket(url, headers=None, **options):
    """What the backend heard of a call by WebSocket, or its status."""
    options |= {"additional_headers": headers or {}}
    async with socket(url, options=options) as client:
        messages, status = await client.whole(await client.open(WHO, {}, end=True))
        return heard(messages[0]) if messages else status


async def refusal_of_socket(url, headers=None, **options):
    """The close code of a socket whose `hello` is refused."""
    async with bare(url, additional_headers=headers or {}, **options) as client:
        await client.say("hello")
        return await client.closed()


# Certificates.


class Certificates:
    """An authority, the server's certificate, and what its clients show."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._authority = trustme.CA()
        self.ca = folder / "ca.pem"
        self._authority.cert_pem.write_to_path(self.ca)
        self.server = folder / "server.pem"
        issued = self._authority.issue_cert("127.0.0.1")
        issued.private_key_and_cert_chain_pem.write_to_path(self.server)

    def shown(self, *names: x509.GeneralName) -> ssl.SSLContext:
        """A client's context that shows a certificate with these names."""
        key = ec.generate_private_key(ec.SECP256R1())
        authority = x509.load_pem_x509_certificate(self._authority.cert_pem.bytes())
        signer = load_pem_private_key(self._authority.private_key_pem.bytes(), None)
        now = datetime.now(UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "billing")]))
            .issuer_name(authority.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(hours=1))
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .sign(signer, hashes.SHA256())
        )
        path = self._folder / f"{certificate.serial_number}.pem"
        secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        path.write_bytes(secret + certificate.public_bytes(Encoding.PEM))
        made = self.nobody()
        made.load_cert_chain(path)
        return made

    def nobody(self) -> ssl.SSLContext:
        """A client's context that shows none."""
        return ssl.create_default_context(cafile=str(self.ca))


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    return Certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def mutual(shop, certificates, tmp_path_factory):
    made = closed(shop, {"mtls": {}})
    made["listener"]["tls"] = {
        "certificate": str(certificates.server),
        "key": str(certificates.server),
        "client_ca": str(certificates.ca),
        "client_certificate": "optional",
    }
    with gateway(tmp_path_factory.mktemp("mutual"), made) as each:
        yield each


URI, DNS = x509.UniformResourceIdentifier, x509.DNSName


@pytest.mark.parametrize(
    ("names", "subject"),
    [
        pytest.param([URI(SPIFFE), DNS("billing.shop.example")], SPIFFE, id="a SPIFFE id"),
        pytest.param([DNS("billing.shop.example")], "billing.shop.example", id="a DNS name"),
        pytest.param([x509.RFC822Name("a@shop.example")], "CN=billing", id="its subject"),
    ],
)
async def test_a_certificate_shows_who_calls(mutual, certificates, names, subject):
    shown = certificates.shown(*names)
    status, told, _ = await asks(mutual.url, ssl=shown)
    assert (status, told["x-subject"]) == (200, [subject])
    assert (await asks_by_socket(mutual.url, ssl=shown))["x-subject"] == [subject]


async def test_who_shows_none_is_asked_to(mutual, certificates):
    status, error, _ = await asks(mutual.url, ssl=certificates.nobody())
    assert (status, reason_of(error)) == (401, "CREDENTIALS_MISSING")
    assert await refusal_of_socket(mutual.url, ssl=certificates.nobody()) == 4401


async def test_another_sites_page_can_not_use_a_browsers_certificate(mutual, certificates):
    said = {"sec-fetch-site": "cross-site"}
    status, error, _ = await asks(mutual.url, said, ssl=certificates.shown(DNS("a.shop.example")))
    assert (status, reason_of(error)) == (403, "CROSS_SITE_REQUEST")


async def test_a_certificate_of_two_ids_is_nobodys(mutual, certificates):
    shown = certificates.shown(URI(SPIFFE), URI("spiffe://shop.example/other"))
    status, error, _ = await asks(mutual.url, ssl=shown)
    assert (status, reason_of(error)) == (401, "INVALID_CREDENTIALS")
    assert await refusal_of_socket(mutual.url, ssl=shown) == 4401


# Tokens that their issuer is asked about.


@pytest.fixture(scope="module")
def issuer():
    with endpoint() as served:
        served.tokens["good"] = {"active": True, "sub": "ada", "scope": "users.read"}
        served.tokens["other"] = {"active": True, "sub": "bob"}
        served.tokens["ended"] = {"active": True, "sub": "ada", "exp": 1}
        served.tokens["odd"] = {"active": "true", "sub": "ada"}
        served.tokens["slow"] = None
        yield served


def introspecting(url):
    section = {"endpoint": url, "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
    return {"introspection": section | {"timeout": "1s"}}


@pytest.fixture(scope="module")
def opaque(shop, issuer, tmp_path_factory):
    scopes = [{"methods": [WHO], "authorize": {"scopes": ["users.read"]}}]
    made = closed(shop, introspecting(issuer.url), policies=scopes)
    with gateway(tmp_path_factory.mktemp("opaque"), made) as each:
        yield each


def bearer(token):
    return {"authorization": f"Bearer {token}"}


async def test_an_active_token_shows_who_calls_and_is_asked_about_once(opaque, issuer):
    issuer.asked.clear()
    before = await asks(opaque.url, bearer("good"))
    assert (before[0], before[1]["x-subject"]) == (200, ["ada"])
    many = await asyncio.gather(*(asks(opaque.url, bearer("good")) for _ in range(10)))
    assert {status for status, _, _ in many} == {200}
    assert (await asks_by_socket(opaque.url, bearer("good")))["x-subject"] == ["ada"]
    assert issuer.asked == ["good"]


@pytest.mark.parametrize(
    ("token", "expected"),
    [
        pytest.param("unknown", (401, "INVALID_CREDENTIALS"), id="not active"),
        pytest.param("ended", (401, "TOKEN_EXPIRED"), id="ended"),
        pytest.param("a b", (401, "INVALID_CREDENTIALS"), id="malformed"),
        pytest.param("other", (403, "INSUFFICIENT_SCOPE"), id="without the scope"),
        pytest.param("odd", (503, "AUTHENTICATION_UNAVAILABLE"), id="an answer of no use"),
    ],
)
async def test_a_token_that_is_refused(opaque, token, expected):
    assert await refused(opaque.url, bearer(token)) == expected


@pytest.mark.parametrize("value", ["Bearer\tgood", "Bearer,good", "bearer"])
async def test_what_is_badly_made_is_not_taken_for_nothing(opaque, issuer, value):
    issuer.asked.clear()
    assert await refused(opaque.url, {"authorization": value}) == (401, "INVALID_CREDENTIALS")
    assert issuer.asked == []


async def test_without_a_token_nobody_is_asked(opaque, issuer):
    issuer.asked.clear()
    assert await refused(opaque.url) == (401, "CREDENTIALS_MISSING")
    assert issuer.asked == []


async def test_a_bad_token_opens_no_socket(opaque):
    assert await refusal_of_socket(opaque.url, bearer("unknown")) == 4401


async def test_an_issuer_that_is_slow_lets_nobody_in(opaque):
    assert await refused(opaque.url, bearer("slow")) == (503, "AUTHENTICATION_UNAVAILABLE")
    assert (await asks(opaque.url, bearer("good")))[0] == 200


def nowhere():
    """An address at which nothing listens."""
    with sockets.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{free.getsockname()[1]}"


async def test_an_issuer_that_is_down_lets_nobody_in_and_no_secret_out(shop, tmp_path):
    made = closed(shop, introspecting(f"http://{nowhere()}/"))
    log = tmp_path / "log"
    with log.open("w") as errors, gateway(tmp_path, made, errors=errors) as served:
        for number in range(5):
            status, error, headers = await asks(served.url, bearer(f"t0ken{number}"))
            assert (status, reason_of(error)) == (503, "AUTHENTICATION_UNAVAILABLE")
            assert int(headers["retry-after"]) >= 1
            assert "127.0.0.1" not in error["message"]
    assert "it is left alone for a while" in log.read_text()
    assert not [word for word in ("t0ken", "s3cret") if word in log.read_text()]


# A service that decides.


def header(key, value, **given):
    return {"header": {"key": key, "value": value}, **given}


@pytest.fixture(scope="module")
def service():
    with authorizer() as served:
        allowed = pb.CheckResponse(
            ok_response={
                "headers": [
                    header("x-user", "ada"),
                    header("x-tag", "b", append={"value": True}),
                    header("grpc-timeout", "1S"),
                ],
                "headers_to_remove": ["x-secret", "grpc-accept-encoding"],
                "response_headers_to_add": [header("x-seen", "yes")],
            }
        )
        allowed.dynamic_metadata.update({"sub": "ada", "scopes": ["users.read"]})
        told = [header("www-authenticate", 'Bearer realm="it"'), header("connection", "close")]
        served.answers |= {
            "ok": allowed,
            "401": denied(401, headers=told),
            "403": denied(403),
            "nameless": pb.CheckResponse(ok_response={}),
            "429": denied(429, headers=[header("retry-after", "7")]),
            "custom": denied(418, body="Not for teapots.", headers=[header("x-why", "tea")]),
            "nonsense": pb.CheckResponse(),
            "slow": None,
        }
        yield served


def denied(status, **given):
    response = {"status": {"code": status}, **given}
    return pb.CheckResponse(status={"code": 7}, denied_response=response)


PASSING = {"request": {"allow": ["x-user", "x-tag", "x-secret", "x-want"]}}


def external(shop, address):
    made = closed(shop, {"ext_authz": {"upstream": "authz", "timeout": "1s"}}, headers=PASSING)
    made["upstreams"]["authz"] = {"endpoints": [address]}
    return made


@pytest.fixture(scope="module")
def guarded(shop, service, tmp_path_factory):
    with gateway(tmp_path_factory.mktemp("guarded"), external(shop, service.address)) as each:
        yield each


SENT = {"x-user": "mallory", "x-tag": "a", "x-secret": "1"}


async def test_ok_lets_in_and_the_backend_hears_what_the_service_says(guarded):
    status, told, headers = await asks(guarded.url, SENT)
    assert status == 200
    assert (told["x-user"], told["x-tag"]) == (["ada"], ["a", "b"])
    assert "x-secret" not in told
    assert told["x-subject"] == ["ada"]
    assert headers["x-seen"] == "yes"


async def test_who_is_let_in_without_a_name_may_call_and_is_nobody_to_backends(guarded):
    shown = {"x-want": "nameless", "x-subject": "mallory"}
    status, told, _ = await asks(guarded.url, shown)
    assert (status, told.get("x-subject")) == (200, None)
    assert "x-subject" not in await asks_by_socket(guarded.url, shown)
    async with socket(guarded.url, options={"additional_headers": shown}) as client:
        await client.say("auth", token="t")
        assert await client.closed() == 4403


async def test_the_service_is_told_of_the_request_and_of_the_method(guarded, service):
    service.told.clear()
    path = "/v1/products?pageSize=2"
    async with (
        aiohttp.ClientSession(guarded.url) as client,
        client.get(path, headers=SENT) as response,
    ):
        assert response.status == 200
    (told,) = service.told
    http = told.request.http
    assert (http.method, http.scheme, http.path) == ("GET", "http", path)
    assert http.host == guarded.url.removeprefix("http://")
    assert http.headers["x-secret"] == "1"
    assert told.source.address.socket_address.address == "127.0.0.1"
    assert told.context_extensions["method"] == "shop.catalog.v1.CatalogService/ListProducts"


@pytest.mark.parametrize(
    ("wanted", "status", "reason"),
    [
        ("401", 401, "INVALID_CREDENTIALS"),
        ("403", 403, "AUTHORIZATION_DENIED"),
        ("429", 429, "AUTHORIZATION_DENIED"),
        ("custom", 418, "AUTHORIZATION_DENIED"),
        ("nonsense", 503, "AUTHENTICATION_UNAVAILABLE"),
        ("slow", 503, "AUTHENTICATION_UNAVAILABLE"),
    ],
)
async def test_what_the_service_refuses(guarded, wanted, status, reason):
    assert await refused(guarded.url, {"x-want": wanted}) == (status, reason)


async def test_a_refusal_has_the_services_words_and_headers(guarded):
    _, error, headers = await asks(guarded.url, {"x-want": "custom"})
    assert (error["message"], headers["x-why"]) == ("Not for teapots.", "tea")
    _, _, headers = await asks(guarded.url, {"x-want": "401"})
    assert headers["www-authenticate"] == 'Bearer realm="it"'
    assert headers.get("connection") != "close"
    _, _, headers = await asks(guarded.url, {"x-want": "429"})
    assert headers["retry-after"] == "7"


async def test_sockets_are_asked_about_and_each_of_their_calls(guarded, service):
    service.told.clear()
    told = await asks_by_socket(guarded.url)
    assert told["x-user"] == ["ada"]
    assert told["x-subject"] == ["ada"]
    opening, call = service.told
    assert (opening.request.http.path, dict(opening.context_extensions)) == ("/ws", {})
    assert call.context_extensions["method"] == WHO


@pytest.mark.parametrize(("wanted", "code"), [("401", 4401), ("403", 4403)])
async def test_a_socket_that_the_service_refuses_ends(guarded, wanted, code):
    assert await refusal_of_socket(guarded.url, {"x-want": wanted}) == code


async def test_of_another_sites_page_with_a_users_cookie_it_is_not_asked(guarded, service):
    service.told.clear()
    shown = {"cookie": "session=1", "origin": "https://evil.example"}
    assert await refused(guarded.url, shown) == (403, "CROSS_SITE_REQUEST")
    assert not service.told


async def test_a_socket_that_is_one_call_is_asked_about_as_that(guarded, service):
    service.told.clear()
    address = guarded.url.replace("http", "ws", 1) + PATH
    async with connect(address, proxy=None, additional_headers=SENT) as websocket:
        await websocket.send("{}")
        answer = await websocket.recv()
        with pytest.raises(ConnectionClosed):
            await websocket.recv()
    assert '"ada"' in answer
    assert "mallory" not in answer
    assert [told.context_extensions.get("method") for told in service.told] == [WHO]


async def test_graphql_is_asked_about_by_the_methods_that_it_calls(guarded, service):
    service.told.clear()
    async with (
        aiohttp.ClientSession(guarded.url) as client,
        client.post("/graphql", json={"query": '{getProduct(id: "p1") {id}}'}) as response,
    ):
        answer = await response.json()
        assert "errors" not in answer, answer
        assert answer["data"]["getProduct"]["id"] == "p1"
    methods = [told.context_extensions.get("method") for told in service.told]
    assert "shop.catalog.v1.CatalogService/GetProduct" in methods


async def test_a_service_that_is_down_lets_nobody_in(shop, tmp_path):
    with gateway(tmp_path, external(shop, nowhere())) as served:
        for _ in range(3):
            assert await refused(served.url) == (503, "AUTHENTICATION_UNAVAILABLE")


async def test_after_a_reload_the_service_is_asked_where_it_is_then(shop, service, tmp_path):
    with authorizer() as other, gateway(tmp_path, external(shop, service.address)) as served:
        other.answers["ok"] = denied(403)
        assert (await asks(served.url))[0] == 200
        (tmp_path / "gateway.yaml").write_text(yaml.safe_dump(external(shop, other.address)))
        served.process.send_signal(signal.SIGHUP)
        async with asyncio.timeout(PATIENCE):
            while (await asks(served.url))[0] == 200:
                await asyncio.sleep(0.05)
        service.told.clear()
        assert await refused(served.url) == (403, "AUTHORIZATION_DENIED")
        assert not service.told
