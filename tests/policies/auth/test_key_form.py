"""The form of API keys."""

from __future__ import annotations

import re
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.policies.auth import key_form
from gateway.policies.auth.key_form import digest_of, id_in, is_our_id, is_whole, new_key


def test_programs_that_look_for_secrets_can_find_it() -> None:
    for _ in range(100):
        key = new_key()
        assert re.fullmatch(r"gw_[a-z0-9]{8}_[0-9A-Za-z]{49}", key.text)
        assert key.text.split("_")[1] == key.id
        assert not key.id[0].isdigit()


def test_its_checksum_tells_it_from_what_looks_like_one() -> None:
    key = new_key().text
    assert is_whole(key)
    for at in (3, 20, 59):
        other = "b" if key[at] != "b" else "c"
        assert not is_whole(key[:at] + other + key[at + 1 :])
    assert not is_whole(key[:-1])
    assert not is_whole("")
    assert not is_whole(f"{key}\n")


@pytest.mark.parametrize("bits", [0, 2**256 - 1], ids=["the smallest", "the largest"])
def test_all_256_bits_fit(bits: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_form.secrets, "randbits", lambda _: bits)
    key = new_key()
    assert len(key.text) == 61
    assert is_whole(key.text)


def test_no_two_are_alike() -> None:
    assert len({new_key().text for _ in range(200)}) == 200


def test_its_repr_does_not_show_it() -> None:
    key = new_key()
    assert key.text not in repr(key)


def test_what_is_stored_is_the_hash_of_all_of_it() -> None:
    key = new_key().text
    assert digest_of(key) == sha256(key.encode()).digest()


@given(st.text())
def test_any_text_may_be_looked_at(text: str) -> None:
    assert not is_whole(text)
    assert id_in(text) is None


def test_the_id_in_a_key() -> None:
    key = new_key()
    for text in (key.text, key.text[:30], f"gw_{key.id}_", f"gw_{key.id}"):
        assert id_in(text) == key.id
    for text in (key.id, key.text[:10], f"{key.text}\n", f" {key.text}", key.text.upper(), ""):
        assert id_in(text) is None


def test_what_can_be_an_id_is_no_key() -> None:
    key = new_key()
    assert is_our_id(key.id)
    for text in (key.text, f"gw_{key.id}", f"{key.id}x", key.id[:-1], f"{key.id}\n", "ABCDEFGH"):
        assert not is_our_id(text)
