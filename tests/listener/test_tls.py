import ssl
from types import SimpleNamespace

import pytest
import trustme
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from gateway.listener import Tls, TlsError
from gateway.listener.tls import context


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A server's certificate, a client's of the authority `ca`, and a stranger's of no such one."""
    root = tmp_path_factory.mktemp("tls")
    authority, other = trustme.CA(), trustme.CA()
    issued = {
        "server": authority.issue_cert("127.0.0.1"),
        "client": authority.issue_cert("client.example"),
        "stranger": other.issue_cert("stranger.example"),
    }
    pem, key = ({name: root / f"{name}.{end}" for name in issued} for end in ("pem", "key"))
    for name, made in issued.items():
        made.cert_chain_pems[0].write_to_path(pem[name])
        made.private_key_pem.write_to_path(key[name])
    pem["ca"] = root / "ca.pem"
    authority.cert_pem.write_to_path(pem["ca"])
    locked = load_pem_private_key(key["server"].read_bytes(), None).private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x")
    )
    (root / "encrypted.key").write_bytes(locked)
    return SimpleNamespace(pem=pem, key=key, root=root)


@pytest.fixture
def trusting(files):
    made = ssl.create_default_context(cafile=str(files.pem["ca"]))
    made.set_alpn_protocols(["h2", "http/1.1"])
    return made


@pytest.fixture
def server(files):
    return Tls(files.pem["server"], files.key["server"])


async def test_https(listen, connect, echo, server, trusting):
    listener = await listen(echo, tls=server)
    assert listener.urls[0].startswith("https://127.0.0.1:")
    client = await connect(listener, ssl=trusting)
    assert client.writer.get_extra_info("ssl_object").selected_alpn_protocol() == "http/1.1"
    assert b'"scheme": "https"' in (await client.get()).body
    assert (await client.get("/", "Connection: close")).status == 200
    assert await client.rest() == b""


async def test_an_early_error_reaches_the_client_over_tls(listen, connect, echo, server, trusting):
    client = await connect(await listen(echo, tls=server), ssl=trusting)
    await client.send(b"GET / HTTP/1.1\r\n\r\n")
    assert (await client.reply()).reason == "BAD_REQUEST"
    assert await client.rest() == b""


def test_tls_1_2_is_the_least(server):
    assert context(server).minimum_version is ssl.TLSVersion.TLSv1_2


async def test_plain_http_on_a_tls_port_ends(dial, echo, server):
    client = await dial(echo, tls=server)
    await client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    assert not (await client.rest()).startswith(b"HTTP/1.1 200")


async def test_tls_on_a_plain_port_ends_at_once(listen, connect, echo, trusting):
    with pytest.raises(ssl.SSLError):
        await connect(await listen(echo), ssl=trusting)


@pytest.fixture
async def visit(listen, connect, echo, files, trusting):
    """Asks a listener that knows the authority, showing the certificate of a name."""

    async def get(mode, shown):
        if shown:
            trusting.load_cert_chain(files.pem[shown], files.key[shown])
        tls = Tls(files.pem["server"], files.key["server"], files.pem["ca"], mode)
        client = await connect(await listen(echo, tls=tls), ssl=trusting)
        return (await client.get()).status

    return get


@pytest.mark.parametrize(
    ("mode", "shown"), [("optional", "client"), ("required", "client"), ("optional", None)]
)
async def test_who_is_let_in(visit, mode, shown):
    assert await visit(mode, shown) == 200


@pytest.mark.parametrize(
    ("mode", "shown"), [("optional", "stranger"), ("required", "stranger"), ("required", None)]
)
async def test_who_is_not(visit, mode, shown):
    # With TLS 1.3 the client learns of it with its first read.
    with pytest.raises((ssl.SSLError, ConnectionError, EOFError)):
        await visit(mode, shown)


@pytest.mark.parametrize(
    ("certificate", "key", "named"),
    [
        pytest.param("missing", "server", "missing", id="no certificate file"),
        pytest.param("server", "missing", "missing", id="no key file"),
        pytest.param("server", "client", "server", id="the key of another certificate"),
        pytest.param("text", "server", "text", id="no PEM"),
        pytest.param("server", "encrypted", "encrypted", id="an encrypted key"),
    ],
)
def test_files_that_cannot_be_used_are_named(files, certificate, key, named):
    (files.root / "text.pem").write_text("hello")
    with pytest.raises(TlsError, match=named):
        context(Tls(files.root / f"{certificate}.pem", files.root / f"{key}.key"))


def test_an_authority_that_is_no_pem_is_named(files):
    (files.root / "text.pem").write_text("hello")
    with pytest.raises(TlsError, match="text"):
        context(Tls(files.pem["server"], files.key["server"], files.root / "text.pem"))
