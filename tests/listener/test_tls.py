import ssl
import subprocess
from types import SimpleNamespace

import pytest

from gateway.listener import Tls, TlsError
from gateway.listener.tls import context


def openssl(*args):
    subprocess.run(["openssl", *args], check=True, capture_output=True)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A server's certificate, an authority, and a client's certificate of that authority."""
    root = tmp_path_factory.mktemp("tls")
    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    names = ("server", "ca", "client", "stranger")
    pem, private = ({name: root / f"{name}.{end}" for name in names} for end in ("pem", "key"))
    for name in ("server", "ca", "stranger"):
        extra = ("-addext", "subjectAltName=IP:127.0.0.1") if name == "server" else ()
        openssl(
            "req",
            "-x509",
            *key,
            "-keyout",
            private[name],
            "-out",
            pem[name],
            "-days",
            "2",
            "-subj",
            f"/CN={name}",
            *extra,
        )
    request = root / "client.csr"
    openssl("req", *key, "-keyout", private["client"], "-out", request, "-subj", "/CN=client")
    openssl(
        "x509",
        "-req",
        "-in",
        request,
        "-CA",
        pem["ca"],
        "-CAkey",
        private["ca"],
        "-CAcreateserial",
        "-out",
        pem["client"],
        "-days",
        "2",
    )
    return SimpleNamespace(pem=pem, key=private, root=root)


@pytest.fixture
def trusting(files):
    made = ssl.create_default_context(cafile=str(files.pem["server"]))
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
    openssl(
        "ec",
        "-aes128",
        "-passout",
        "pass:x",
        "-in",
        files.key["server"],
        "-out",
        files.root / "encrypted.key",
    )
    with pytest.raises(TlsError, match=named):
        context(Tls(files.root / f"{certificate}.pem", files.root / f"{key}.key"))


def test_an_authority_that_is_no_pem_is_named(files):
    (files.root / "text.pem").write_text("hello")
    with pytest.raises(TlsError, match="text"):
        context(Tls(files.pem["server"], files.key["server"], files.root / "text.pem"))
