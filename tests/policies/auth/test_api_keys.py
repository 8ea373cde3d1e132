"""API keys: which are taken, and what is said of those that are not."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from gateway.call import Call, Principal
from gateway.policies.auth.api_keys import ApiKey, ApiKeys, table_of
from gateway.policies.auth.key_form import digest_of, new_key
from gateway.policies.auth.provider import BadCredentials
from gateway.policies.auth.stored_file import StoredFile
from tests.policies.auth.callers import call, head

NOW = 1_800_000_000.0
GOOD, ENDING, OFF = new_key(), new_key(), new_key()
ACME = Principal("acme", "partners", scopes=frozenset({"orders.write"}), plan="pro")
SOON = Principal("acme", "partners", expires=NOW + 10)
KEYS = [
    ApiKey(GOOD.id, digest_of(GOOD.text), ACME),
    ApiKey(ENDING.id, digest_of(ENDING.text), SOON),
    ApiKey(OFF.id, digest_of(OFF.text), ACME, disabled=True),
]
HEADER = "x-api-key"


class Clock:
    now = NOW

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file in which each line is the number of a key."""
    found = tmp_path / "keys"
    found.write_text("0 1 2")
    return found


def numbered(data: bytes):
    return table_of(KEYS[int(number)] for number in data.split())


@pytest.fixture
def file(path):
    return StoredFile(path, numbered)


@pytest.fixture
def provider(file, clock) -> ApiKeys:
    return ApiKeys("partners", HEADER, file, clock)


def refusal(provider: ApiKeys, made: Call) -> BadCredentials:
    assert provider.known(made) is None
    with pytest.raises(BadCredentials) as failure:
        provider.identify(made)
    return failure.value


def test_a_good_key_is_its_owners(provider):
    made = call((HEADER, GOOD.text))
    assert provider.known(made) is ACME
    assert provider.identify(made) is ACME
    assert provider.carried(made.head)


def test_a_call_without_the_header_is_not_its_to_judge(provider):
    for made in (call(), call(("authorization", f"Bearer {GOOD.text}")), Call("a.B/C")):
        assert provider.known(made) is None
        assert provider.identify(made) is None
    assert not provider.carried(head(("authorization", GOOD.text)))


@pytest.mark.parametrize(
    "shown",
    [
        "",
        " ",
        GOOD.text[:-1],
        GOOD.text + "0",
        GOOD.text.upper(),
        f" {GOOD.text}",
        f"{GOOD.text},{GOOD.text}",
        f"ApiKey {GOOD.text}",
        GOOD.id,
        digest_of(GOOD.text).hex(),
        new_key().text,
        "é" * 61,
        "\ud800",
        "k" * 100_000,
    ],
    ids=[
        "nothing", "blank", "short by one", "long by one", "another case", "a space before",
        "twice in one field", "with a scheme", "its id", "its hash", "another key",
        "beyond ASCII", "half a character", "huge",
    ],
)  # fmt: skip
def test_what_is_not_exactly_a_key_is_refused_alike(provider, shown):
    failure = refusal(provider, call((HEADER, shown)))
    assert failure.text == "The API key is not accepted."
    assert failure.reason == "INVALID_CREDENTIALS"
    if shown.strip():
        assert shown not in failure.why


def test_the_header_twice_is_refused_even_with_good_keys(provider):
    failure = refusal(provider, call((HEADER, GOOD.text), (HEADER, GOOD.text)))
    assert failure.text == "The API key is not accepted."
    assert failure.why == "2 API keys in one request"


def test_a_key_ends_at_its_second_while_the_gateway_runs(provider, clock):
    made = call((HEADER, ENDING.text))
    clock.now = NOW + 9.9
    assert provider.known(made) is SOON
    clock.now = NOW + 10
    failure = refusal(provider, made)
    assert failure.reason == "TOKEN_EXPIRED"  # only who holds the key learns it
    assert ENDING.id in failure.why


def test_a_disabled_key_is_refused_as_an_unknown_one(provider):
    failure = refusal(provider, call((HEADER, OFF.text)))
    assert failure.text == refusal(provider, call((HEADER, new_key().text))).text
    assert failure.why == f"the API key {OFF.id} is disabled"


def test_a_key_that_is_removed_is_refused_once_the_file_was_looked_at(provider, file, path):
    made = call((HEADER, GOOD.text))
    assert provider.known(made)
    path.write_text("1")
    file.look()
    assert refusal(provider, made).why == "an unknown or revoked API key"
    path.write_text("0")
    file.look()
    assert provider.known(made) is ACME


async def test_the_file_is_looked_at_while_the_provider_is_open(path, clock):
    file = StoredFile(path, numbered, every=0.001)
    provider = ApiKeys("partners", HEADER, file, clock)
    await provider.open()
    made = call((HEADER, GOOD.text))
    path.write_text("1")
    while provider.known(made):
        await asyncio.sleep(0.001)
    await provider.close()


def test_nothing_that_is_printed_shows_a_key_or_its_hash(provider):
    shown = repr(provider) + repr(KEYS)
    assert GOOD.text not in shown
    assert digest_of(GOOD.text).hex() not in shown
    assert repr(digest_of(GOOD.text)) not in shown
