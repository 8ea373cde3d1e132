"""`auth`, `policies` and `pages`: what must agree among them, and the lines that say it does not."""

import pytest

AUTH = "auth: {providers: {customers: {mtls: {}}, partners: {mtls: {}}}}\n"

SETTINGS = (
    "authenticate, authorize, timeout, rate_limits, concurrency, concurrency_per_principal, cache, "
    "coalesce, validate, priority, idempotent, route, split, mirror, deprecated, faults"
)


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
            f"1:12: policies.0: sets nothing; expected one of {SETTINGS}",
            id="a-policy-that-sets-nothing",
        ),
        pytest.param(
            "policies: [{methods: ['*'], authorize: {}}]",
            f"1:12: policies.0: sets nothing; expected one of {SETTINGS}",
            id="a-policy-that-asks-for-nothing",
        ),
        pytest.param(
            "auth: {providers: {a: {ext_authz: {upstream: authz}}}}",
            "1:46: auth.providers.a.ext_authz.upstream: no upstream has this name; there are no "
            "upstreams",
            id="an-upstream-that-is-not-there",
        ),
        pytest.param(
            "auth: {forward: {subject: X-Subject}}\nheaders: {request: {allow: [x-a, x-subject]}}",
            "2:34: headers.request.allow.1: auth.forward.subject tells backends by this name; "
            "no client's copy passes",
            id="a-subject-that-clients-may-send",
        ),
        pytest.param(
            "auth: {forward: {claims: [Tenant]}}\nheaders: {request: {allow: [x-claim-tenant]}}",
            "2:29: headers.request.allow.0: auth.forward.claims.0 tells backends by this name; "
            "no client's copy passes",
            id="a-claim-that-clients-may-send",
        ),
        pytest.param(
            "auth: {providers: {a: {jwt: {issuer: '', audiences: [a]}}}}",
            '1:38: auth.providers.a.jwt.issuer: found "", expected a text that is not empty',
            id="a-text-that-is-empty",
        ),
        pytest.param(
            "policies: [{methods: ['*'], authorize: {when: ''}}]",
            '1:47: policies.0.authorize.when: found "", expected a text that is not empty',
            id="a-condition-that-is-empty",
        ),
        *(
            pytest.param(
                f"auth: {{forward: {{subject: {name}}}}}",
                f'1:27: auth.forward.subject: found "{name}", expected a metadata key, not ending '
                f"in -bin, but not the reserved {reserved}",
                id=f"a-subject-at-{name}",
            )
            for name, reserved in {
                "Authorization": "authorization",
                "cookie": "cookie",
                "x-request-id": "x-request-id",
                "traceparent": "traceparent",
                "grpc-timeout": "grpc-*",
            }.items()
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


@pytest.mark.parametrize("name", ["authorization", "Cookie"])
def test_keys_do_not_stand_where_tokens_do(problems, folder, name):
    (folder / "keys.yaml").touch()
    keys = f"{{header: {name}, keys: {{file: keys.yaml}}}}"
    (line,) = problems(f"auth: {{providers: {{a: {{api_key: {keys}}}}}}}")
    assert "auth.providers.a.api_key.header" in line
    assert line.endswith(f"expected a header's name, but not the reserved {name.lower()}")
