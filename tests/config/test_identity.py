"""`auth`, `policies` and `pages`: what must agree among them, and the lines that say it does not."""

import pytest

AUTH = "auth: {providers: {customers: {mtls: {}}, partners: {mtls: {}}}}\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            AUTH + "policies: [{methods: ['*'], authenticate: [custmers]}]",
            '2:44: policies.0.authenticate.0: no provider has this name; did you mean "customers"?',
            id="a-misspelt-provider",
        ),
        pytest.param(
            AUTH + "policies: [{methods: ['*'], authenticate: zzz}]",
            "2:43: policies.0.authenticate: no provider has this name; expected one of customers, "
            "partners, none",
            id="a-provider-that-is-nowhere",
        ),
        pytest.param(
            AUTH + "policies: [{methods: ['*'], authenticate: nobody}]",
            "2:43: policies.0.authenticate: no provider has this name; expected one of customers, "
            "partners, none",
            id="what-none-is-not-called",
        ),
        pytest.param(
            AUTH + "pages: {authenticate: [partner]}",
            '2:24: pages.authenticate.0: no provider has this name; did you mean "partners"?',
            id="pages",
        ),
        pytest.param(
            "policies: [{methods: ['*'], authenticate: [customers]}]",
            "1:44: policies.0.authenticate.0: no provider has this name; there are no auth.providers",
            id="a-provider-where-there-are-none",
        ),
        pytest.param(
            "auth: {providers: {none: {mtls: {}}}}",
            "1:20: auth.providers.none: none lets in who shows nobody; expected another name",
            id="a-provider-called-none",
        ),
        pytest.param(
            "policies: [{methods: ['*'], authorize: {scopes: [read]}}]",
            "1:41: policies.0.authorize.scopes: nobody has any: there are no auth.providers",
            id="scopes-without-providers",
        ),
        pytest.param(
            "policies: [{methods: ['*'], authorize: {roles: [admin]}}]",
            "1:41: policies.0.authorize.roles: nobody has any: there are no auth.providers",
            id="roles-without-providers",
        ),
        pytest.param(
            AUTH + "policies: [{methods: ['*'], authenticate: []}]",
            "2:43: policies.0.authenticate: found an empty list, expected at least 1 item",
            id="a-list-of-no-providers",
        ),
        pytest.param(
            AUTH + "pages: {authenticate: []}",
            "2:23: pages.authenticate: found an empty list, expected at least 1 item",
            id="pages-of-no-providers",
        ),
        pytest.param(
            AUTH + "policies: [{methods: ['*'], authenticate: [none, none]}]",
            "2:50: policies.0.authenticate.1: given twice; first at policies.0.authenticate.0 "
            "(gateway.yaml:2:44)",
            id="a-provider-twice",
        ),
        pytest.param(
            "policies: [{methods: ['*']}]",
            "1:12: policies.0: sets nothing; expected one of authenticate, authorize, timeout",
            id="a-policy-that-sets-nothing",
        ),
        pytest.param(
            "policies: [{methods: ['*'], authorize: {}}]",
            "1:12: policies.0: sets nothing; expected one of authenticate, authorize, timeout",
            id="a-policy-that-asks-for-nothing",
        ),
        pytest.param(
            "auth: {providers: {a: {ext_authz: {upstream: authz}}}}",
            "1:46: auth.providers.a.ext_authz.upstream: no upstream has this name; there are no "
            "upstreams",
            id="an-upstream-that-is-not-there",
        ),
    ],
)
def test_a_disagreement_is_a_line(problems, text, expected):
    assert problems(text) == [f"gateway.yaml:{expected}"]


@pytest.mark.parametrize(
    "text",
    [
        "policies: [{methods: ['*'], authenticate: none}]",
        "policies: [{methods: ['*'], authorize: {when: 'true'}}]",
        "policies: [{methods: ['*'], authorize: {scopes: []}}]",
        "pages: {authenticate: none}",
        AUTH + "policies: [{methods: ['*'], authenticate: [partners, none]}]",
        AUTH + "policies: [{methods: ['*'], authorize: {roles: []}}]",
        AUTH + "pages: {authenticate: partners}",
    ],
    ids=[
        "open-where-all-is-open",
        "a-condition-needs-no-caller",
        "nothing-is-asked-of-nobody",
        "open-pages",
        "a-token-that-is-optional",
        "roles-taken-back",
        "one-provider-without-brackets",
    ],
)
def test_what_agrees_is_taken(read, text):
    read(text)


def test_a_name_from_the_environment_is_not_repeated(problems):
    lines = problems(
        AUTH + "policies: [{methods: ['*'], authenticate: ['${WHO}']}]", environ={"WHO": "hunter2"}
    )
    assert len(lines) == 1
    assert "hunter2" not in lines[0]
