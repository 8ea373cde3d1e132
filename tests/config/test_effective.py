"""What holds for each method: configs, and what comes of them."""

import pytest

from gateway.config import effective, idle_patterns
from gateway.config.effective import (
    AUTHENTICATE,
    LEAVES,
    SCOPES,
    TIMEOUT,
    WHEN,
    Setting,
)

GET = "shop.v1.Catalog/GetProduct"
LIST = "shop.v1.Catalog/ListProducts"
CREATE = "shop.v1.Orders/CreateOrder"
METHODS = (GET, LIST, CREATE)
AUTH = "auth: {providers: {customers: {mtls: {}}, partners: {mtls: {}}}}\n"


def policies(*lines):
    return AUTH + "policies:\n" + "".join(f"  - {{{line}}}\n" for line in lines)


def held(read, text, declared=None):
    loaded = read(text)
    found = effective(METHODS, loaded.config.policies, loaded.source, declared or {})
    assert found.keys() == set(METHODS)
    return found


def values(settings):
    """What is set, by the names of the config."""
    return {".".join(leaf): each.value for leaf, each in settings.leaves.items()}


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        pytest.param((), {}, id="nothing-is-said"),
        pytest.param(
            ("methods: ['*'], authenticate: customers",),
            {"authenticate": ("customers",)},
            id="one-policy-for-all",
        ),
        pytest.param(
            ("methods: [shop.v1.Orders/*], authenticate: customers",), {}, id="another-service's"
        ),
        pytest.param(
            (
                "methods: ['*'], authenticate: customers",
                "methods: [shop.v1.Catalog/Get*], authenticate: none",
            ),
            {"authenticate": ("none",)},
            id="the-last-that-matches-wins",
        ),
        pytest.param(
            (
                "methods: [shop.v1.Catalog/Get*], authenticate: none",
                "methods: ['*'], authenticate: customers",
            ),
            {"authenticate": ("customers",)},
            id="the-last-wins-though-its-pattern-is-wider",
        ),
        pytest.param(
            (
                "methods: ['*'], timeout: 2s",
                "methods: [shop.v1.Catalog/GetProduct], authorize: {scopes: [read]}",
            ),
            {"timeout": 2.0, "authorize.scopes": ("read",)},
            id="each-setting-by-itself",
        ),
        pytest.param(
            (
                "methods: ['*'], authorize: {scopes: [read], roles: [staff], when: 'true'}",
                "methods: ['*'], authorize: {roles: [admin]}",
            ),
            {
                "authorize.scopes": ("read",),
                "authorize.roles": ("admin",),
                "authorize.when": "true",
            },
            id="each-leaf-of-authorize-by-itself",
        ),
        pytest.param(
            (
                "methods: ['*'], authorize: {scopes: [read, write]}",
                "methods: ['*'], authorize: {scopes: [read]}",
            ),
            {"authorize.scopes": ("read",)},
            id="lists-are-replaced-and-not-joined",
        ),
        pytest.param(
            (
                "methods: ['*'], authorize: {scopes: [read]}",
                "methods: ['*'], authorize: {scopes: []}",
            ),
            {"authorize.scopes": ()},
            id="an-empty-list-takes-back",
        ),
        pytest.param(
            ("methods: [shop.v1.Orders/*, shop.v1.Catalog/*], timeout: 1s",),
            {"timeout": 1.0},
            id="any-of-a-policy's-patterns",
        ),
        pytest.param(
            ("methods: [shop.v1.Catalog/GetProduct], timeout: 1s",),
            {"timeout": 1.0},
            id="a-name-is-a-pattern",
        ),
        pytest.param(
            ("methods: [shop.v1.Catalog/getproduct], timeout: 1s",), {}, id="case-matters"
        ),
        pytest.param(("methods: [Catalog/GetProduct], timeout: 1s",), {}, id="a-part-is-no-match"),
        pytest.param(
            ("methods: [shopxv1xCatalog/GetProduct], timeout: 1s",), {}, id="a-dot-is-a-dot"
        ),
    ],
)
def test_what_comes_of_policies(read, lines, expected):
    text = policies(*lines) if lines else AUTH
    assert values(held(read, text)[GET]) == expected


def test_what_is_not_set_is_nothing(read):
    settings = held(read, AUTH)[GET]
    assert settings.authenticate is None
    assert settings.scopes == settings.roles == ()
    assert settings.when is settings.timeout is None
    assert [settings.where(leaf) for leaf in LEAVES] == [None] * len(LEAVES)


def test_each_setting_knows_the_line_that_set_it(read):
    text = policies(
        "methods: ['*'], authenticate: customers, timeout: 2s",
        "methods: [shop.v1.Catalog/*], authorize: {scopes: [read], when: 'true'}",
    )
    settings = held(read, text)[GET]
    assert {leaf: where for leaf in LEAVES if (where := settings.where(leaf))} == {
        AUTHENTICATE: "gateway.yaml:3:22 policies.0.authenticate",
        TIMEOUT: "gateway.yaml:3:47 policies.0.timeout",
        SCOPES: "gateway.yaml:4:48 policies.1.authorize.scopes",
        WHEN: "gateway.yaml:4:64 policies.1.authorize.when",
    }


def test_a_policy_of_the_config_counts_more_than_a_proto(read):
    declared = {
        GET: {
            AUTHENTICATE: Setting(("partners",), "shop.proto:7"),
            TIMEOUT: Setting(1.0, "shop.proto:9"),
        }
    }
    found = held(read, policies("methods: ['*'], authenticate: customers"), declared)
    assert found[GET].authenticate == ("customers",)
    assert found[GET].timeout == 1.0
    assert found[GET].where(TIMEOUT) == "shop.proto:9"
    assert found[LIST].timeout is None


def idle(read, *lines):
    loaded = read(policies(*lines))
    return [str(each) for each in idle_patterns(METHODS, loaded.config.policies, loaded.source)]


@pytest.mark.parametrize(
    ("pattern", "hint"),
    [
        ("shop.v1.Catalog", 'did you mean "shop.v1.Catalog/*"?'),
        ("/shop.v1.Catalog/GetProduct", 'did you mean "shop.v1.Catalog/GetProduct"?'),
        ("shop.v1.Catalog.GetProduct", 'did you mean "shop.v1.Catalog/GetProduct"?'),
        ("shop.v1.Catalog/GetProdct", 'did you mean "shop.v1.Catalog/GetProduct"?'),
        ("x.*", "expected a method such as shop.v1.Catalog/GetProduct, or a glob"),
    ],
    ids=["a-service", "a-leading-slash", "dots", "a-misspelt-method", "nothing-like-it"],
)
def test_a_pattern_that_matches_nothing_is_a_problem(read, pattern, hint):
    assert idle(read, f"methods: ['*', {pattern}], timeout: 1s") == [
        f'gateway.yaml:3:21: policies.0.methods.1: no method matches "{pattern}"; {hint}'
    ]


def test_a_pattern_that_matches_is_none(read):
    assert idle(read, "methods: ['*', shop.v1.*, shop.v1.Orders/CreateOrder], timeout: 1s") == []


def test_a_star_means_whatever_comes(read):
    loaded = read(policies("methods: ['*'], timeout: 1s"))
    assert idle_patterns((), loaded.config.policies, loaded.source) == []
