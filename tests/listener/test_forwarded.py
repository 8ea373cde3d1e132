"""Who the client is behind proxies: RFC 7239, X-Forwarded-*, and whom to believe."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.http import Headers
from gateway.listener.forwarded import origin, passes_on, plain, proxies, trusts

TRUSTED = proxies(["10.0.0.0/8", "fd00::/8", "192.0.2.9"])
CLIENT, PROXY, INNER = "203.0.113.7", "10.0.0.1", "10.0.0.2"


def xff(*values):
    return [("x-forwarded-for", value) for value in values]


def forwarded(*values):
    return [("forwarded", value) for value in values]


@pytest.mark.parametrize(
    ("peer", "fields", "expected"),
    [
        pytest.param(CLIENT, [], CLIENT, id="no proxy"),
        pytest.param(CLIENT, xff("1.1.1.1"), CLIENT, id="a client is not believed"),
        pytest.param(
            CLIENT, forwarded("for=1.1.1.1"), CLIENT, id="a client's Forwarded is not believed"
        ),
        pytest.param("", xff("1.1.1.1"), "", id="a Unix socket is not believed by itself"),
        pytest.param(PROXY, [], PROXY, id="a proxy that says nothing"),
        pytest.param(PROXY, xff(CLIENT), CLIENT, id="a proxy is believed"),
        pytest.param("192.0.2.9", xff(CLIENT), CLIENT, id="a lone address is a network"),
        pytest.param("fd00::1", xff(CLIENT), CLIENT, id="a proxy on IPv6"),
        pytest.param(
            PROXY, xff(f"1.1.1.1, {CLIENT}"), CLIENT, id="the right-most untrusted hop wins"
        ),
        pytest.param(
            PROXY, xff(f"1.1.1.1, {CLIENT}, {INNER}"), CLIENT, id="trusted hops are passed"
        ),
        pytest.param(
            PROXY, xff("1.1.1.1", f"{CLIENT},{INNER}"), CLIENT, id="several lines are one list"
        ),
        pytest.param(PROXY, xff(f"{INNER}, {INNER}"), INNER, id="only trusted hops: the left-most"),
        pytest.param(PROXY, xff("1.1.1.1, nonsense"), PROXY, id="nothing left of nonsense counts"),
        pytest.param(PROXY, xff("1.1.1.1,"), PROXY, id="nothing left of an empty member counts"),
        pytest.param(PROXY, xff(f"{CLIENT}:4711"), CLIENT, id="a port is cut off"),
        pytest.param(PROXY, xff("2001:db8::1"), "2001:db8::1", id="bare IPv6"),
        pytest.param(
            PROXY, xff("[2001:DB8::1]:80"), "2001:db8::1", id="IPv6 with a port, normalised"
        ),
        pytest.param(PROXY, xff(f"::ffff:{CLIENT}"), CLIENT, id="IPv4 in IPv6 is IPv4"),
        pytest.param(PROXY, forwarded(f"for={CLIENT}"), CLIENT, id="Forwarded"),
        pytest.param(
            PROXY, forwarded(f"For={CLIENT};by=a;host=b"), CLIENT, id="Forwarded, other pairs"
        ),
        pytest.param(
            PROXY, forwarded(f'for=1.1.1.1, for="{CLIENT}:80"'), CLIENT, id="Forwarded, quoted"
        ),
        pytest.param(
            PROXY, forwarded('for="[2001:db8::1]:80"'), "2001:db8::1", id="Forwarded, IPv6"
        ),
        pytest.param(
            PROXY, forwarded("for=1.1.1.1", f"for={CLIENT}"), CLIENT, id="Forwarded, two lines"
        ),
        pytest.param(
            PROXY, forwarded(f"for={CLIENT}, for={INNER}"), CLIENT, id="Forwarded, trusted hop"
        ),
        pytest.param(PROXY, forwarded("for=1.1.1.1, for=unknown"), PROXY, id="Forwarded, unknown"),
        pytest.param(
            PROXY, forwarded("for=1.1.1.1, for=_hidden"), PROXY, id="Forwarded, obfuscated"
        ),
        pytest.param(
            PROXY, forwarded("for=1.1.1.1, by=x"), PROXY, id="Forwarded, an element without for"
        ),
        pytest.param(
            PROXY, forwarded("for=1.1.1.1, (("), PROXY, id="Forwarded, unreadable at the right"
        ),
        pytest.param(
            PROXY,
            forwarded(f'for="1.1.1.1, for={CLIENT}'),
            CLIENT,
            id="Forwarded, unreadable at the left",
        ),
        pytest.param(
            PROXY, forwarded('for="1.1.1.1, for=2.2.2.2'), "2.2.2.2", id="Forwarded, an open quote"
        ),
        pytest.param(
            PROXY,
            forwarded("for=1.1.1.1;for=2.2.2.2"),
            "1.1.1.1",
            id="Forwarded, the first for counts",
        ),
        pytest.param(
            PROXY,
            forwarded("for=1.1.1.1") + xff(CLIENT),
            CLIENT,
            id="X-Forwarded-For over Forwarded",
        ),
    ],
)
def test_peer(peer, fields, expected):
    assert origin(peer, "http", Headers(fields), TRUSTED).peer == expected


@pytest.mark.parametrize(
    ("peer", "fields", "expected"),
    [
        pytest.param(PROXY, [], "http", id="nothing said"),
        pytest.param(
            CLIENT, [("x-forwarded-proto", "https")], "http", id="a client is not believed"
        ),
        pytest.param(PROXY, [("x-forwarded-proto", "HTTPS")], "https", id="alone"),
        pytest.param(
            PROXY, [*xff(CLIENT), ("x-forwarded-proto", "https")], "https", id="with an address"
        ),
        pytest.param(
            PROXY,
            [*xff(f"1.1.1.1, {CLIENT}"), ("x-forwarded-proto", "https")],
            "https",
            id="one for all hops",
        ),
        pytest.param(
            PROXY,
            [*xff(f"1.1.1.1, {CLIENT}"), ("x-forwarded-proto", "http, https")],
            "https",
            id="the scheme of the client's hop",
        ),
        pytest.param(
            PROXY, [*xff(CLIENT), ("x-forwarded-proto", "javascript")], "http", id="no such scheme"
        ),
        pytest.param(PROXY, forwarded(f"for={CLIENT};proto=https"), "https", id="Forwarded"),
        pytest.param(
            PROXY,
            forwarded(f"for=1.1.1.1;proto=https, for={CLIENT}"),
            "http",
            id="Forwarded, another's",
        ),
    ],
)
def test_scheme(peer, fields, expected):
    assert origin(peer, "http", Headers(fields), TRUSTED).scheme == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("fe80::1%eth0", "fe80::1", id="zone"),
        pytest.param("[::1]", "::1", id="brackets"),
        pytest.param("[::1", None, id="half a bracket"),
        pytest.param("[::1]x", None, id="text after brackets"),
        pytest.param("1.2.3", None, id="three numbers"),
        pytest.param("shop.example", None, id="a name"),
        pytest.param("", None, id="nothing"),
    ],
)
def test_plain_address(text, expected):
    assert plain(text) == expected


WITH_UNIX = proxies(["10.0.0.0/8", "unix"])


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        pytest.param([], "", id="it says nothing"),
        pytest.param(xff(CLIENT), CLIENT, id="it is believed"),
        pytest.param(forwarded(f"for={CLIENT}"), CLIENT, id="its Forwarded is believed"),
        pytest.param(xff(f"1.1.1.1, {CLIENT}"), CLIENT, id="not what its client wrote"),
        pytest.param(xff(f"{CLIENT}, {INNER}"), CLIENT, id="another proxy is before it"),
        pytest.param(xff("1.1.1.1, nonsense"), "", id="nothing left of nonsense counts"),
        pytest.param(xff("1.1.1.1, unix:"), "", id="nobody else is one by its word"),
        pytest.param(xff("1.1.1.1,"), "", id="nor by saying nothing"),
    ],
)
def test_who_is_behind_a_proxy_on_a_unix_socket(fields, expected):
    assert origin("", "http", Headers(fields), WITH_UNIX).peer == expected
    assert origin(CLIENT, "http", Headers(fields), WITH_UNIX).peer == CLIENT
    assert passes_on("", Headers(fields), WITH_UNIX) == bool(fields)


@pytest.mark.parametrize(
    ("texts", "unix", "network"),
    [([], False, False), (["unix"], True, False), (["10.0.0.0/8"], False, True),
     (["unix", "10.0.0.0/8"], True, True)],
    ids=["nobody", "Unix sockets", "a network", "both"],
)  # fmt: skip
def test_who_is_believed(texts, unix, network):
    believed = proxies(texts)
    assert (trusts(believed, ""), trusts(believed, PROXY)) == (unix, network)
    assert not trusts(believed, CLIENT)
    assert bool(believed) == (unix or network)


def test_a_network_with_host_bits_is_refused():
    with pytest.raises(ValueError):
        proxies(["10.0.0.1/8"])
    with pytest.raises(ValueError):
        proxies(["unix:/run/gw.sock"])


latin = st.text(st.characters(max_codepoint=255))


@given(st.sampled_from(["forwarded", "x-forwarded-for"]), st.lists(latin), latin)
def test_any_header_gives_an_address_and_a_scheme(name, values, scheme):
    fields = [(name, value) for value in values] + [("x-forwarded-proto", scheme)]
    found = origin(PROXY, "http", Headers(fields), TRUSTED)
    assert plain(found.peer) == found.peer
    assert found.scheme in {"http", "https"}


@given(latin.filter(lambda text: '"' not in text))
def test_what_a_client_writes_before_a_proxy_s_word_changes_nothing(theirs):
    for name, ours in (("forwarded", f"for={CLIENT}"), ("x-forwarded-for", CLIENT)):
        fields = [(name, f"{theirs}, {ours}")]
        assert origin(PROXY, "http", Headers(fields), TRUSTED).peer == CLIENT
