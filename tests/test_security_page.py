"""docs/security.md: its configs are right, its conditions compile, its numbers are the code's."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from gateway.app.providers import ProviderPool
from gateway.call import Call, Principal
from gateway.config import from_mapping, json_schema, load
from gateway.config.assignment import matches
from gateway.http import Headers, Request
from gateway.policies.auth import basic, introspection, lockout, stored_file, watch
from gateway.policies.auth.claim_path import found
from gateway.policies.auth.jwt import fetched_keys
from gateway.policies.cel import limits
from gateway.policies.cel.compiler import Compiler
from tests.cli.conftest import schema

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "security.md").read_text()
EXAMPLES = [yaml.safe_load(text) for text in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)]
POLICIES = yaml.safe_load((ROOT / "schema" / "policies.yaml").read_text())["policies"]
CONDITIONS = [
    pytest.param(method, policy["authorize"]["when"], id=f"{method.rpartition('/')[2]}-{number}")
    for number, policy in enumerate(
        [*POLICIES, *(each for example in EXAMPLES for each in example.get("policies", ()))]
    )
    if "when" in policy.get("authorize", {})
    for method in policy["methods"]
]
# What a config has besides what an example shows of it.
REST = {
    "schema": {"protos": ["protos"]},
    "auth": {
        "providers": {
            "customers": {"jwt": {"issuer": "https://id.example/", "audiences": ["shop"]}},
            "partners": {"api_key": {"keys": {"file": "keys.yaml"}}},
        }
    },
}
FILES = ("signing.pem", "keys.yaml", "users.yaml", "server.pem", "server.key", "clients.pem")


@pytest.mark.parametrize("example", EXAMPLES, ids="-".join)
def test_a_config_is_right(example, tmp_path):
    (tmp_path / "protos").mkdir()
    for name in FILES:
        (tmp_path / name).touch()
    whole = REST | example
    upstreams = {"shop": {"services": ["shop.*"], "endpoints": ["127.0.0.1:1"]}}
    whole["upstreams"] = upstreams | whole.get("upstreams", {})
    Draft202012Validator(json_schema()).validate(whole)
    file = tmp_path / "gateway.yaml"
    file.write_text(yaml.safe_dump(whole))
    load(str(file), environ={"INTROSPECTION_SECRET": "x"})


def test_there_are_ten_conditions_to_copy():
    assert len(re.findall(r"^  # \d+\. ", PAGE, re.MULTILINE)) == 10


@pytest.mark.parametrize(("pattern", "when"), CONDITIONS)
def test_a_condition_compiles_for_its_method(pattern, when):
    known = {each.name: each for methods in schema().methods.values() for each in methods}
    found = [method for name, method in known.items() if matches(pattern, name)]
    assert found
    for method in found:
        assert Compiler(schema().registry.pool).compile(when, method.input).text == when


@pytest.mark.parametrize("pattern", [each for policy in POLICIES for each in policy["methods"]])
def test_a_pattern_of_the_example_matches_a_method(pattern):
    names = [each.name for methods in schema().methods.values() for each in methods]
    assert any(matches(pattern, name) for name in names)


DEFINITIONS = json_schema()["$defs"]
LOCK = lockout.NAME_FROM_ADDRESS


def default(section, key):
    return DEFINITIONS[section]["properties"][key]["default"]


@pytest.mark.parametrize(
    ("said", "number"),
    [
        (r"`leeway` \((\d+) s\)", float(default("Jwt", "leeway").removesuffix("s"))),
        (r"are looked at every (\d+) s", stored_file._EVERY),
        (r"other\s+password \| (\d+) s", stored_file.TAKES_EFFECT),
        (r"`jwks.file` \| (\d+) s", stored_file.TAKES_EFFECT),
        (r"fetched again: (\d+) min", fetched_keys._USUAL / 60),
        (r"within (\d+) and 15 min", fetched_keys._SOONEST / 60),
        (r"within 1 and (\d+) min", fetched_keys._LATEST / 60),
        (r"only once in (\d+) s", fetched_keys.COOL_DOWN),
        (r"`introspection`: (\d+) s", introspection.LONGEST),
        (r"looked at again every (\d+) s", watch.EVERY),
        (r"starts without the keys after (\d+) s", fetched_keys._START),
        (r"not active \| (\d+) s", introspection._REFUSED_FOR),
        (r"is asked about (\d+) tokens at once", introspection._AT_ONCE),
        (r"tokens at once, (\d+) of them", introspection._OF_SITE),
        (r"locked out \| (\d+) min", LOCK.lock / 60),
        (r"the next time 2, up to (\d+);", LOCK.longest / 60),
        (r"may make (\d+) calls a second", 100),
        (r"more than (\d+),000,000 units", limits.WORK / 1_000_000),
        (r"all rounds together are (\d+),000", limits.ROUNDS / 1_000),
        (r"refused beyond (\d+) KiB", limits.MAPPED / 1024),
        (r"more than 2,(\d+) values", limits.NODES - 2000),
        (r"or (\d+) levels", limits.DEPTH),
    ],
)
def test_a_number_is_the_codes(said, number):
    (found,) = re.findall(said, PAGE)
    assert float(found) == number


def test_how_often_a_password_may_be_wrong():
    assert default("ListenerLimits", "unauthenticated") == "100/s"
    bounds = (LOCK, lockout.ADDRESS, lockout.NAME)
    assert [bound.failures for bound in bounds] == [10, 50, 100]
    assert {bound.within for bound in bounds} == {300.0}
    assert re.search(r"ten in five minutes\s+for a name from an address, fifty of an", PAGE)
    assert "hashed again for five minutes" in PAGE
    assert basic.REMEMBERED == 300.0


ORDERS = "shop.orders.v1.OrderService/"
ADA = Principal("u1", "customers", roles=frozenset({"customer"}), claims={"tenant": "retail"})


def allows(when, method, principal, request=b""):
    known = {each.name: each for methods in schema().methods.values() for each in methods}
    condition = Compiler(schema().registry.pool).compile(when, known[method].input)
    return condition.allows(Call(method, request, principal=principal))


@pytest.mark.parametrize(
    ("when", "method", "principal", "allowed"),
    [
        pytest.param(
            "request.user_id == principal.subject",
            f"{ORDERS}GetOrder",
            None,
            True,
            id="an anonymous caller has an empty subject",
        ),
        pytest.param(
            'request.user_id == principal.subject && principal.subject != ""',
            f"{ORDERS}GetOrder",
            None,
            False,
            id="which can be asked for",
        ),
        pytest.param(
            "request.user_ids.all(id, id == principal.subject)",
            f"{ORDERS}ListOrdersByUsers",
            ADA,
            True,
            id="all of an empty list is true",
        ),
        pytest.param(
            "size(request.user_ids) > 0 && request.user_ids.all(id, id == principal.subject)",
            f"{ORDERS}ListOrdersByUsers",
            ADA,
            False,
            id="which can be asked for, too",
        ),
        pytest.param(
            'claims.plan == "gold"', f"{ORDERS}GetOrder", ADA, False, id="a missing claim refuses"
        ),
        pytest.param(
            'claims.plan != "gold"',
            f"{ORDERS}GetOrder",
            ADA,
            False,
            id="a missing claim refuses, whatever is asked of it",
        ),
        pytest.param('claims.tenant == "retail"', f"{ORDERS}GetOrder", ADA, True, id="a claim"),
    ],
)
def test_a_trap_is_one(when, method, principal, allowed):
    assert allows(when, method, principal) is allowed


@pytest.fixture
def token(tmp_path):
    """The token that the page's code prints, beside its keys."""
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        cwd=tmp_path,
    )
    return done.stdout.strip()


async def test_the_keys_and_the_token_for_a_try_work(tmp_path, token):
    given = {"issuer": "https://id.example/", "audiences": ["shop"], "jwks": {"file": "jwks.json"}}
    loaded = from_mapping(
        {"auth": {"providers": {"local": {"jwt": given}}}}, origin="test", directory=tmp_path
    )
    made = await ProviderPool().providers(loaded.config, lambda name: None)
    shown = Headers([("authorization", f"Bearer {token}")])
    found = made["local"].identify(
        Call("a.B/C", head=Request("GET", "/", None, shown, peer="203.0.113.7"))
    )
    principal = found if isinstance(found, Principal) else await found
    assert principal.subject == "u1"
    assert principal.scopes == {"orders.read"}


ISSUERS = dict(re.findall(r"^\| ([A-Z][\w ]+?) \| (`.+?`|none) \| ", PAGE, re.MULTILINE))
CLAIMS = {
    "Keycloak": {"realm_access": {"roles": ["a"]}},
    "Entra ID": {"scp": "a b"},
    "Auth0": {"permissions": ["a"]},
}


def test_every_issuer_of_the_table_has_claims_of_its_form():
    assert ISSUERS.keys() == {*CLAIMS, "Amazon Cognito"}


@pytest.mark.parametrize("issuer", CLAIMS)
def test_what_an_issuer_calls_things_is_found(issuer):
    key, name = yaml.safe_load(ISSUERS[issuer].strip("`")).popitem()
    assert key in DEFINITIONS["Jwt"]["properties"]
    assert found(CLAIMS[issuer], name)


def test_a_method_that_is_closed_to_all():
    assert not allows("false", f"{ORDERS}GetOrder", ADA)
