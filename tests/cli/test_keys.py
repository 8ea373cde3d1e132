"""`gateway keys`: keys are made, listed and revoked; only their hashes are in the file."""

from __future__ import annotations

import re
import stat
import threading
import time
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest

from gateway.cli import entry_file
from gateway.cli.failure import Exit
from gateway.config.entries import read_entries
from gateway.config.instants import format_instant
from gateway.config.models.entries import StoredKey, StoredKeys
from gateway.policies.auth.key_form import is_whole, new_key
from tests.cli.processes import Ran, invoke, run

DAY = 86400


def stored(folder: Path, file: str = "keys.yaml") -> dict[str, StoredKey]:
    found, _ = read_entries((folder / file).read_bytes(), file, StoredKeys)
    return dict(found.keys)


def new(folder: Path, *options: str) -> Ran:
    return invoke("keys", "new", "--owner", "acme", *options, cwd=folder)


def test_a_key_is_printed_alone_and_its_hash_is_stored(tmp_path: Path) -> None:
    done = run("keys", "new", "--owner", "acme", cwd=tmp_path)
    assert done.code == 0
    key = done.out.removesuffix("\n")
    assert is_whole(key)
    ((name, entry),) = stored(tmp_path).items()
    assert key.split("_")[1] == name
    assert entry.hash == f"sha256:{sha256(key.encode()).hexdigest()}"
    assert key not in (tmp_path / "keys.yaml").read_text() + done.err
    assert done.err == f"wrote keys.yaml: key {name} of acme, with no end; it is shown only now\n"


def test_all_that_is_said_of_a_key_is_stored(tmp_path: Path) -> None:
    options = ["--scope", "orders.write", "--scope", "b", "--role", "clerk", "--plan", "pro"]
    more = ["--name", "the café: one", "--claim", "tenant=a=b", "--expires", "90d"]
    assert new(tmp_path, *options, *more, "--file", "other.yaml").code == 0
    (key,) = stored(tmp_path, "other.yaml").values()
    assert (key.owner, key.scopes, key.roles) == ("acme", ("orders.write", "b"), ("clerk",))
    assert (key.plan, key.name, key.claims) == ("pro", "the café: one", {"tenant": "a=b"})
    assert key.created == pytest.approx(time.time(), abs=60)
    assert key.expires - key.created == pytest.approx(90 * DAY, abs=2)


def test_a_time_may_be_given_for_the_end(tmp_path: Path) -> None:
    assert new(tmp_path, "--expires", "2050-06-30T00:00:00+02:00").code == 0
    (key,) = stored(tmp_path).values()
    assert format_instant(key.expires) == "2050-06-29T22:00:00Z"


def test_the_file_is_made_for_nobody_else_to_read(tmp_path: Path) -> None:
    new(tmp_path)
    assert stat.S_IMODE((tmp_path / "keys.yaml").stat().st_mode) == 0o600


def test_the_mode_of_a_file_that_is_there_stays(tmp_path: Path) -> None:
    file = tmp_path / "keys.yaml"
    file.touch()
    file.chmod(0o640)
    new(tmp_path)
    assert stat.S_IMODE(file.stat().st_mode) == 0o640


def test_comments_stay_and_links_are_followed(tmp_path: Path) -> None:
    (tmp_path / "real.yaml").write_text("# ours\nkeys:\n  # none yet\n")
    (tmp_path / "keys.yaml").symlink_to("real.yaml")
    new(tmp_path)
    assert (tmp_path / "keys.yaml").is_symlink()
    text = (tmp_path / "real.yaml").read_text()
    assert text.startswith("# ours\n")
    assert "# none yet\n" in text
    assert sorted(each.name for each in tmp_path.iterdir()) == ["keys.yaml", "real.yaml"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--owner", "a\nb"], "--owner: expected a subject"),
        (["--scope", "a b"], "--scope: expected a scope"),
        (["--role", ""], "--role: expected a role"),
        (["--plan", "a b"], "--plan: expected a name"),
        (["--claim", "tenant"], "--claim: expected NAME=TEXT"),
        (["--claim", "tenant=\udcff"], "--claim: expected text in UTF-8"),
        (["--name", "x\udcff"], "--name: expected text in UTF-8"),
        (["--claim", "key_id=x"], "--claim: expected a claim's name"),
        (["--expires", "soon"], "--expires: expected a span"),
        (["--expires", "2020-01-01T00:00:00Z"], "--expires: that is over already"),
    ],
)
def test_what_a_key_can_not_have_is_a_mistake(
    options: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr("typer.rich_utils.MAX_WIDTH", 200)
    done = new(tmp_path, *options)
    assert done.code == Exit.MISTAKE
    assert said in done.err
    assert not done.out
    assert not list(tmp_path.iterdir())


def test_a_file_with_mistakes_is_not_changed(tmp_path: Path) -> None:
    (tmp_path / "keys.yaml").write_text("keys:\n  a: {ower: x}\n")
    done = new(tmp_path)
    assert done.code == Exit.MISTAKE
    assert "keys.yaml:2:7: keys.a.ower: unknown key" in done.err
    assert (tmp_path / "keys.yaml").read_text() == "keys:\n  a: {ower: x}\n"
    assert not done.out


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    done = new(tmp_path, "--file", "no/keys.yaml")
    assert done.code == Exit.FAILED
    assert "can't be opened" in done.err


def test_the_list_shows_neither_keys_nor_hashes(tmp_path: Path) -> None:
    keys = [
        new(tmp_path, "--scope", "a", "--expires", "1d").out.strip(),
        new(tmp_path, "--name", "ci").out.strip(),
    ]
    done = invoke("keys", "list", cwd=tmp_path)
    head, first, second = done.out.splitlines()
    assert head.split() == [
        "ID",
        "OWNER",
        "NAME",
        "SCOPES",
        "ROLES",
        "PLAN",
        "CREATED",
        "EXPIRES",
        "STATE",
    ]
    assert re.fullmatch(r"\w{8}  acme   -     a       -      -     \S+Z  \S+Z  good", first)
    assert re.fullmatch(r"\w{8}  acme   ci    -       -      -     \S+Z  never +good", second)
    for key in keys:
        assert key[12:20] not in done.out
    for entry in stored(tmp_path).values():
        assert entry.hash.removeprefix("sha256:")[:12] not in done.out


def test_the_list_tells_what_has_ended(tmp_path: Path) -> None:
    new(tmp_path, "--expires", "1s")
    file = tmp_path / "keys.yaml"
    file.write_text(re.sub(r"expires: \d{4}", "expires: 2020", file.read_text()))
    assert invoke("keys", "list", cwd=tmp_path).out.splitlines()[1].endswith("expired")


def test_a_revoked_key_stays_in_the_list(tmp_path: Path) -> None:
    for _ in range(2):
        new(tmp_path)
    first, second = stored(tmp_path)
    done = invoke("keys", "revoke", first, cwd=tmp_path)
    assert done.code == 0
    assert f"revoked {first}" in done.err
    assert {name: key.disabled for name, key in stored(tmp_path).items()} == {
        first: True,
        second: False,
    }
    assert invoke("keys", "list", cwd=tmp_path).out.splitlines()[1].endswith("revoked")


@pytest.mark.parametrize(
    "given",
    [lambda key: key.split("_")[1], lambda key: key[:11], lambda key: key, lambda key: key[:-9]],
    ids=["the id", "gw_ and the id", "the whole key", "a key that is cut off"],
)
def test_a_key_is_revoked_and_enabled_by_its_id_and_never_printed(
    given: Callable[[str], str], tmp_path: Path
) -> None:
    key = new(tmp_path).out.strip()
    name = key.split("_")[1]
    done = invoke("keys", "revoke", given(key), cwd=tmp_path)
    said = f"revoked {name}; a running gateway refuses it within five seconds\n"
    assert (done.code, done.out, done.err) == (0, "", said)
    assert stored(tmp_path)[name].disabled
    again = invoke("keys", "revoke", given(key), cwd=tmp_path)
    assert (again.code, again.err) == (Exit.MISTAKE, f"the key {name} is revoked already\n")
    done = invoke("keys", "enable", given(key), cwd=tmp_path)
    said = f"enabled {name}; a running gateway takes it within five seconds\n"
    assert (done.code, done.out, done.err) == (0, "", said)
    assert not stored(tmp_path)[name].disabled
    again = invoke("keys", "enable", given(key), cwd=tmp_path)
    assert (again.code, again.err) == (Exit.MISTAKE, f"the key {name} is not revoked\n")


@pytest.mark.parametrize("command", ["revoke", "enable"])
def test_an_unknown_key_is_named_only_where_it_can_not_be_one(command: str, tmp_path: Path) -> None:
    key = new(tmp_path).out.strip()
    other = new_key().text
    for given in (
        other,
        other[:11],
        key.replace("_", "\n"),
        f" {key}",
        "sk-4f9a8b7c6d5e",
        "x" * 99,
    ):
        done = invoke("keys", command, given, cwd=tmp_path)
        assert (done.code, done.out) == (Exit.MISTAKE, "")
        assert done.err == "there is no such key in keys.yaml\n"
    done = invoke("keys", command, "abcd2345", cwd=tmp_path)
    assert (done.code, done.err) == (Exit.MISTAKE, "there is no key abcd2345 in keys.yaml\n")
    (entry,) = stored(tmp_path).values()
    assert not entry.disabled


def test_an_id_that_was_given_by_hand_is_one_too(tmp_path: Path) -> None:
    (tmp_path / "keys.yaml").write_text(
        f"keys:\n  The-App: {{owner: x, hash: 'sha256:{1:064x}'}}\n"
    )
    assert invoke("keys", "revoke", "The-App", cwd=tmp_path).code == 0
    assert stored(tmp_path)["The-App"].disabled


def test_there_is_nothing_to_revoke_without_a_file(tmp_path: Path) -> None:
    done = invoke("keys", "revoke", "x", cwd=tmp_path)
    assert done.err == f"{tmp_path}/keys.yaml: no such file\n"


def test_a_file_that_others_can_write_is_remarked_upon(tmp_path: Path) -> None:
    new(tmp_path)
    for mode, told in ((0o644, False), (0o664, True)):
        (tmp_path / "keys.yaml").chmod(mode)
        for command in (["new", "--owner", "eve"], ["list"]):
            done = invoke("keys", *command, cwd=tmp_path)
            assert done.code == 0
            assert ("warning: keys.yaml can be written by others" in done.err) == told


def test_nothing_to_list(tmp_path: Path) -> None:
    assert invoke("keys", "list", cwd=tmp_path).code == Exit.MISTAKE
    (tmp_path / "keys.yaml").touch(0o600)
    done = invoke("keys", "list", cwd=tmp_path)
    assert (done.code, done.out, done.err) == (0, "", "keys.yaml has no keys\n")


def test_commands_at_the_same_time_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "keys.yaml"

    def add(number: int) -> None:
        line = f"  k{number}: {{owner: x, hash: 'sha256:{number:064x}'}}\n"
        entry_file.change(path, StoredKeys, lambda text, _: text + line, header="keys:\n")

    path.write_text("keys:\n  k: {owner: x, hash: 'sha256:" + "f" * 64 + "'}\n")
    threads = [threading.Thread(target=add, args=[number]) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(stored(tmp_path)) == 21


def test_a_file_that_can_not_be_written_is_told_and_nothing_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("gateway.cli.entry_file.os.fsync", full)
    done = new(tmp_path)
    assert done.code == Exit.FAILED
    assert "keys.yaml can't be written: No space left on device" in done.err
    assert not done.out
    assert not list(tmp_path.iterdir())


PAGE = (Path(__file__).parents[2] / "docs" / "cli.md").read_text()


def test_the_file_on_the_page_is_right() -> None:
    (text,) = re.findall(r"```yaml\n(keys:.*?)```", PAGE, re.DOTALL)
    read_entries(text.encode(), "docs/cli.md", StoredKeys)


def test_the_pattern_on_the_page_finds_keys(tmp_path: Path) -> None:
    (pattern,) = re.findall(r"`(gw_\S+)` finds keys", PAGE)
    assert re.fullmatch(pattern, new(tmp_path).out.strip())
