"""What an upstream must not say together of who goes where, each told with its line."""

import pytest


def upstream(*lines):
    return "upstreams:\n  a:\n    services: ['*']\n    endpoints: [h:1]\n" + "\n".join(
        f"    {each}" for each in lines
    )


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        pytest.param(
            ("balancing: {policy: ring_hash}",),
            "5:25: upstreams.a.balancing.policy: ring_hash needs hash_on; without it every call "
            "would go by chance",
            id="ring-hash-of-nothing",
        ),
        pytest.param(
            ("balancing: {policy: maglev}",),
            "5:25: upstreams.a.balancing.policy: maglev needs hash_on; without it every call "
            "would go by chance",
            id="maglev-of-nothing",
        ),
        pytest.param(
            ("balancing: {hash_on: principal}",),
            "5:17: upstreams.a.balancing.hash_on: only ring_hash and maglev hash; another policy "
            "keeps clients by affinity",
            id="a-hash-that-the-default-does-not-take",
        ),
        pytest.param(
            ("balancing: {policy: maglev, hash_on: peer}", "affinity: {on: principal}"),
            "5:33: upstreams.a.balancing.hash_on: affinity says already who goes where; remove one "
            "of them",
            id="a-hash-and-an-affinity",
        ),
        pytest.param(
            ("affinity: {ttl: 1h, on: peer}",),
            "5:16: upstreams.a.affinity.ttl: means nothing without cookie; set it too",
            id="a-time-without-a-cookie",
        ),
        pytest.param(
            ("affinity: {cookie: a, on: peer}",),
            "5:27: upstreams.a.affinity.on: cannot stand beside cookie; expected only one of them",
            id="a-cookie-and-something-else",
        ),
        pytest.param(
            ("affinity: {cookie: 'a b'}",),
            '5:24: upstreams.a.affinity.cookie: found "a b", expected a cookie\'s name',
            id="no-name-of-a-cookie",
        ),
        pytest.param(
            ("affinity: {on: subject}",),
            '5:20: upstreams.a.affinity.on: found "subject", expected header:NAME, cookie:NAME, '
            "principal, peer or field:PATH",
            id="nothing-that-calls-have-in-common",
        ),
    ],
)
def test_a_contradiction_is_a_line(problems, lines, expected):
    assert problems(upstream(*lines)) == [f"gateway.yaml:{expected}"]


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param(("affinity: {cookie: gw}",), id="a-cookie"),
        pytest.param(("affinity: {on: 'field:order.customer_id'}",), id="a-field"),
        pytest.param(
            ("affinity: {cookie: gw}", "balancing: {policy: round_robin}"), id="any-policy"
        ),
        pytest.param(("affinity: {cookie: gw}", "balancing: {policy: maglev}"), id="a-hash-for-it"),
        pytest.param(("balancing: {policy: maglev, hash_on: 'cookie:sid'}",), id="a-hash"),
    ],
)
def test_what_agrees_is_no_problem(read, lines):
    read(upstream(*lines))


@pytest.mark.parametrize("key", ["principal", "peer", "header:X-A", "cookie:__Host-a!#$%&'*+^`|~."])
def test_what_is_hashed_for_a_split_can_be_hashed_for_an_endpoint(read, key):
    config = read(
        upstream(f'balancing: {{policy: maglev, hash_on: "{key}"}}')
        + f'\n  b: {{endpoints: [h:2], affinity: {{on: "{key}"}}}}'
        + f"\npolicies: [{{methods: ['*'], split: [{{upstream: b, percent: 5, hash_on: \"{key}\"}}]}}]"
    ).config
    assert config.upstreams["a"].balancing.hash_on == key
    assert config.upstreams["b"].affinity.on == key
    assert config.policies[0].split[0].hash_on == key


@pytest.mark.parametrize(
    "provider",
    [
        pytest.param("jwt: {issuer: 'https://i', audiences: [a], cookie: sid}", id="jwt"),
        pytest.param(
            "introspection: {url: 'https://i', issuer: i, cookie: sid}", id="introspection"
        ),
    ],
)
def test_an_id_takes_no_place_of_a_token(problems, provider):
    auth = f"\nauth: {{providers: {{users: {{{provider}}}}}}}"
    expected = (
        "gateway.yaml:5:24: upstreams.a.affinity.cookie: clients keep their tokens in it "
        f"(auth.providers.users.{provider.partition(':')[0]}.cookie); expected another"
    )
    assert expected in problems(upstream("affinity: {cookie: sid}") + auth)


def test_the_cookie_lasts_an_hour(read):
    assert read(upstream("affinity: {cookie: gw}")).config.upstreams["a"].affinity.ttl == 3600


def two(first, second):
    return upstream(f"affinity: {{{first}}}") + (
        f"\n  b:\n    services: [x]\n    endpoints: [h:2]\n    affinity: {{{second}}}"
    )


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        pytest.param(
            "cookie: gw, ttl: 2h",
            "cookie: gw, ttl: 30m",
            "9:33: upstreams.b.affinity.ttl: the cookie gw is kept for 2h by upstreams.a.affinity",
            id="two-times",
        ),
        pytest.param(
            "cookie: gw, ttl: 2h",
            "cookie: gw",
            "9:24: upstreams.b.affinity.ttl: the cookie gw is kept for 2h by upstreams.a.affinity",
            id="a-time-and-the-default",
        ),
        pytest.param(
            "cookie: gw",
            "cookie: gw, ttl: 2h",
            "9:33: upstreams.b.affinity.ttl: the cookie gw is kept for 1h by upstreams.a.affinity",
            id="the-default-and-a-time",
        ),
    ],
)
def test_one_cookie_is_kept_for_one_time(problems, first, second, expected):
    more = "; expected the same time, or another cookie"
    assert problems(two(first, second)) == [f"gateway.yaml:{expected}{more}"]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param("cookie: gw, ttl: 60m", "cookie: gw", id="the-same-time"),
        pytest.param("cookie: gw, ttl: 2h", "cookie: GW, ttl: 1h", id="another-cookie"),
        pytest.param("cookie: gw", "on: peer", id="no-cookie"),
    ],
)
def test_upstreams_may_share_a_cookie(read, first, second):
    read(two(first, second))


@pytest.mark.parametrize("name", ["__Host-gw", "__Secure-gw", "__host-gw"])
@pytest.mark.parametrize(
    "listener",
    ["", "listener: {address: '127.0.0.1:1'}\n", "listener: {trusted_proxies: []}\n"],
    ids=["nothing", "an-address", "no-proxies"],
)
def test_a_cookie_that_browsers_would_not_keep_is_refused(problems, name, listener):
    (line,) = problems(listener + upstream(f"affinity: {{cookie: {name}}}"))
    assert line == (
        f"gateway.yaml:{6 if listener else 5}:24: upstreams.a.affinity.cookie: browsers keep a "
        "cookie of such a name only by https; expected another name, listener.tls, or "
        "listener.trusted_proxies that tell of it"
    )


@pytest.mark.parametrize(
    "listener",
    ["tls: {certificate: c.pem, key: k.pem}", "trusted_proxies: [10.0.0.0/8]"],
    ids=["tls", "behind-a-proxy"],
)
def test_it_is_kept_by_https(read, tmp_path, listener):
    for name in ("c.pem", "k.pem"):
        (tmp_path / name).touch()
    text = f"listener: {{{listener}}}\n" + upstream("affinity: {cookie: __Host-gw}")
    assert read(text).config.upstreams["a"].affinity.cookie == "__Host-gw"
