"""`gateway keys signing`: the key that signs what backends are told."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from gateway.policies.internal_token import SigningKey
from tests.cli.processes import invoke


@pytest.mark.parametrize(
    ("arguments", "algorithm"), [([], "ES256"), (["--curve", "ed25519"], "EdDSA")]
)
def test_a_key_that_only_this_user_reads(
    tmp_path: Path, arguments: list[str], algorithm: str
) -> None:
    done = invoke("keys", "signing", "--out", "signing.pem", *arguments, cwd=tmp_path)
    assert (done.code, done.err) == (0, "")
    assert "auth.forward.token.key.file" in done.out
    path = tmp_path / "signing.pem"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert SigningKey.of_pem(path.read_bytes()).algorithm == algorithm
    assert "PRIVATE" not in done.out


def test_a_file_that_is_there_is_kept(tmp_path: Path) -> None:
    (tmp_path / "signing.pem").write_text("mine")
    done = invoke("keys", "signing", "--out", "signing.pem", cwd=tmp_path)
    assert done.code == 2
    assert "never overwritten" in done.err
    assert (tmp_path / "signing.pem").read_text() == "mine"


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    done = invoke("keys", "signing", "--out", "no/signing.pem", cwd=tmp_path)
    assert done.code == 1
    assert "can't be written" in done.err
