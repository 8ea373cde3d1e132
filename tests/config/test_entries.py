"""Files of keys and users: what they may say, and where what is wrong stands."""

import json
from textwrap import dedent

import pytest

from gateway.config import ConfigError
from gateway.config.entries import problem_at, read_entries
from gateway.config.models.entries import StoredKeys, StoredUsers

HASH = "sha256:" + "0123456789abcdef" * 4
ARGON2 = "$argon2id$v=19$m=19456,t=2,p=1$MTIzNDU2Nzg5MDEy$" + "A" * 43
TEXT = f"""
    # ours
    keys:
      a1:
        name: the app
        owner: acme
        hash: {HASH}
        scopes: [orders.write, "https://x/y"]
        roles: [admin]
        plan: pro
        claims: {{tenant: acme, level: 3, tags: [a, b]}}
        created: 2026-01-01T00:00:00Z
        expires: 2027-01-01T00:00:00Z
        disabled: false
"""


def keys(text):
    return read_entries(dedent(text).lstrip("\n").encode(), "keys.yaml", StoredKeys)


def users(text):
    return read_entries(dedent(text).lstrip("\n").encode(), "users.yaml", StoredUsers)


def problems(read, text):
    with pytest.raises(ConfigError) as caught:
        read(text)
    return [str(problem) for problem in caught.value.problems]


def test_a_whole_key():
    found, source = keys(TEXT)
    key = found.keys["a1"]
    assert (key.owner, key.hash, key.name, key.plan) == ("acme", HASH, "the app", "pro")
    assert key.scopes == ("orders.write", "https://x/y")
    assert key.claims == {"tenant": "acme", "level": 3, "tags": ["a", "b"]}
    assert key.expires - key.created == 365 * 86400
    assert source.locate("keys.a1.owner") == "keys.yaml:5:5"


def test_the_least_that_a_key_needs():
    key = keys(f"keys: {{a1: {{owner: acme, hash: '{HASH}'}}}}")[0].keys["a1"]
    assert (key.scopes, key.roles, key.plan, key.expires, key.disabled) == (
        (), (), None, None, False,
    )  # fmt: skip


@pytest.mark.parametrize("text", ["", "# nothing\n", "keys: {}", '{"keys": {}}'])
def test_a_file_without_any(text):
    assert keys(text)[0].keys == {}


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("owner: acme", "ower: acme", "keys.yaml:3:3: keys.a1.owner: a required key is missing"),
        ("owner: acme", "owner: ''", 'keys.yaml:5:12: keys.a1.owner: found "", expected a subject of up to 256 printable characters'),
        ("plan: pro", "plan: pro\n        plan: x", "keys.yaml:10:5: keys.a1.plan: set twice; first at keys.yaml:9:5"),
        ("plan: pro", "plans: pro", 'keys.yaml:9:5: keys.a1.plans: unknown key; did you mean "plan"?'),
        ("roles: [admin]", "roles: admin", 'keys.yaml:8:12: keys.a1.roles: found "admin", expected a list'),
        ("orders.write", "'a b'", 'keys.yaml:7:14: keys.a1.scopes.0: found "a b", expected a scope (RFC 6749 section 3.3)'),
        ("2027-01-01T00:00:00Z", "2027-01-01", 'keys.yaml:12:14: keys.a1.expires: found "2027-01-01", expected a time with its zone such as 2027-06-30T12:00:00Z'),
        ("disabled: false", "disabled: no", 'keys.yaml:13:15: keys.a1.disabled: found "no", expected true or false'),
        ("level: 3", "key_id: 3", "expected a claim's name, but not key_id"),
        ("a1:", "a 1:", "expected an id of letters, digits and -"),
    ],
    ids=["missing", "empty", "twice", "misspelt", "no list", "a scope", "a time", "a switch",
         "a claim of ours", "an id"],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_line(old, new, problem):
    assert old in TEXT
    found = problems(keys, TEXT.replace(old, new))
    assert any(line.endswith(problem) for line in found), found


@pytest.mark.parametrize(
    "text", ["gw_abcdefgh_" + "A" * 49, "sha256:ABC", HASH.upper(), HASH.removeprefix("sha256:")]
)
def test_what_stands_in_the_place_of_a_hash_is_not_repeated(text):
    (found,) = problems(keys, TEXT.replace(HASH, f'"{text}"'))
    assert found == (
        "keys.yaml:6:11: keys.a1.hash: found a text, expected sha256: and 64 hexadecimal digits"
    )


@pytest.mark.parametrize(
    ("data", "place"),
    [(b"keys: [\n", "keys.yaml:2:1"), (b"keys:\n  \xff", "keys.yaml:2:1"), (b"- a", "keys.yaml:1:1")],
    ids=["no YAML", "not UTF-8", "a list"],
)  # fmt: skip
def test_what_is_no_such_file_at_all(data, place):
    with pytest.raises(ConfigError) as caught:
        read_entries(data, "keys.yaml", StoredKeys)
    assert str(caught.value).startswith(f"{place}: ")


def test_problems_found_later_have_places_too():
    _, source = keys(TEXT)
    problem = problem_at(source, ("keys", "a1", "hash"), "the same as another")
    assert str(problem) == "keys.yaml:6:5: keys.a1.hash: the same as another"


def test_a_user():
    user = users(f"users: {{josé: {{hash: '{ARGON2}', roles: [ops]}}}}")[0].users["josé"]
    assert (user.hash, user.roles, user.disabled) == (ARGON2, ("ops",), False)


@pytest.mark.parametrize(
    "stored",
    ["hunter2", ARGON2.replace("argon2id", "argon2i"), ARGON2.replace("19456", "999999999"),
     ARGON2.replace("t=2", "t=101"), ARGON2.replace("p=1", "p=65"), ARGON2.replace("v=19", "v=16"),
     ARGON2.replace("m=19456", "m=7"), ARGON2 + "=", ARGON2 + "\n", "$2b$12$" + "a" * 53],
    ids=["the password", "argon2i", "much memory", "many passes", "many lanes", "an old version",
         "too little memory", "padding", "a line feed", "bcrypt"],
)  # fmt: skip
def test_only_argon2id_within_bounds_is_a_users_hash(stored):
    (found,) = problems(users, f"users: {{ada: {{hash: {json.dumps(stored)}}}}}")
    assert "users.ada.hash: found a text, expected an argon2id hash" in found
    assert stored not in found


@pytest.mark.parametrize(
    "name", ["", "a:b", "a\\nb", " a", "n" * 129, "jose\\u0301"],
    ids=["empty", "a colon", "a line feed", "a space before", "long", "another normal form"],
)  # fmt: skip
def test_which_names_users_have_not(name):
    found = problems(users, f'users: {{"{name}": {{hash: "{ARGON2}"}}}}')
    assert "expected a user's name of 1 to 128 printable characters" in found[0]
