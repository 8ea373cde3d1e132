"""`gateway users`: users are added, listed and removed; only hashes of passwords are in the file."""

from __future__ import annotations

import re
import stat
from pathlib import Path

import pytest

from gateway.cli import users
from gateway.cli.failure import Exit
from gateway.config.entries import read_entries
from gateway.config.models.entries import StoredUser, StoredUsers
from gateway.policies.auth.passwords import is_weak, matches
from tests.cli.processes import Ran, invoke, run

PASSWORD = "correct horse battery"
ADA = """\
# ours
users:
  ada:  # who began
    hash: "$argon2id$v=19$m=19456,t=2,p=1$VB1JKLw0KkqIYfMkgIvqUQ$FVuGydUkbCOQvWfcqzwjWbPwUJhbjmYfNNhSWRNt+dY"
    roles: [admin]
"""


def stored(folder: Path) -> dict[str, StoredUser]:
    found, _ = read_entries((folder / "users.yaml").read_bytes(), "users.yaml", StoredUsers)
    return dict(found.users)


def add(folder: Path, name: str, *options: str, stdin: str = PASSWORD + "\n") -> Ran:
    return run("users", "add", name, "--password-stdin", *options, cwd=folder, stdin=stdin)


def test_a_user_is_stored_with_a_hash(tmp_path: Path) -> None:
    done = add(tmp_path, "ada", "--role", "admin", "--scope", "a.b", "--plan", "pro")
    assert (done.code, done.out, done.err) == (0, "", "wrote users.yaml: user ada\n")
    user = stored(tmp_path)["ada"]
    assert (user.roles, user.scopes, user.plan) == (("admin",), ("a.b",), "pro")
    assert matches(user.hash, PASSWORD)
    assert not is_weak(user.hash)
    assert PASSWORD not in (tmp_path / "users.yaml").read_text()
    assert stat.S_IMODE((tmp_path / "users.yaml").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("stdin", "password"),
    [(PASSWORD, PASSWORD), (f"{PASSWORD}\r\n", PASSWORD), (f" {PASSWORD} \n", f" {PASSWORD} "),
     ("e\u0301" * 12, "\u00e9" * 12)],
    ids=["no line feed", "CR LF", "spaces are its own", "normal form C"],
)  # fmt: skip
def test_what_is_read_of_standard_input(stdin: str, password: str, tmp_path: Path) -> None:
    assert add(tmp_path, "ada", stdin=stdin).code == 0
    assert matches(stored(tmp_path)["ada"].hash, password)


@pytest.mark.parametrize(
    ("stdin", "said"),
    [("", "is empty"), ("\n", "is empty"), ("a\nb\n", "has a control character"),
     ("p" * 257, "is longer than 256 characters"), ("p" * 10_000, "is longer than 256 characters"),
     ("é" * 1000, "is longer than 256 characters"), ("a\0b", "has a control character")],
    ids=["nothing", "an empty line", "two lines", "long", "endless", "endless, of two bytes", "NUL"],
)  # fmt: skip
@pytest.mark.parametrize("command", ["add", "passwd"])
def test_which_passwords_can_not_be_used(
    command: str, stdin: str, said: str, tmp_path: Path
) -> None:
    before = None
    if command == "passwd":
        (tmp_path / "users.yaml").write_text(ADA)
        (tmp_path / "users.yaml").chmod(0o600)
        before = ADA
    done = run("users", command, "ada", "--password-stdin", cwd=tmp_path, stdin=stdin)
    assert (done.code, done.err) == (Exit.MISTAKE, f"the password {said}\n")
    assert [each.read_text() for each in tmp_path.iterdir()] == [before] * (before is not None)


def test_what_else_is_said_of_a_user_is_stored(tmp_path: Path) -> None:
    assert add(tmp_path, "ada", "--claim", "tenant=a=b", "--claim", "site=").code == 0
    assert stored(tmp_path)["ada"].claims == {"tenant": "a=b", "site": ""}
    done = add(tmp_path, "bob", "--claim", "tenant")
    assert done.code == Exit.MISTAKE
    assert "--claim: expected NAME=TEXT" in done.err


def test_a_short_password_is_remarked_upon(tmp_path: Path) -> None:
    done = add(tmp_path, "ada", stdin="hunter2")
    assert done.code == 0
    assert "warning: a password of less than 12 characters" in done.err
    assert "hunter2" not in done.err


def test_a_password_is_asked_for_twice_at_a_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[dict[str, object]] = []

    def prompt(text: str, **how: object) -> str:
        asked.append({"text": text, **how})
        return PASSWORD

    monkeypatch.setattr("sys.stdin", type("Terminal", (), {"isatty": lambda _: True})())
    monkeypatch.setattr(users.typer, "prompt", prompt)
    assert invoke("users", "add", "ada", cwd=tmp_path).code == 0
    assert asked == [
        {"text": "Password", "hide_input": True, "confirmation_prompt": True, "err": True}
    ]
    assert matches(stored(tmp_path)["ada"].hash, PASSWORD)


def test_without_a_terminal_nobody_is_asked(tmp_path: Path) -> None:
    done = run("users", "add", "ada", cwd=tmp_path)
    assert done.code == Exit.MISTAKE
    assert "--password-stdin" in done.err


@pytest.mark.parametrize(
    ("name", "said"),
    [("", "a user's name can't be empty"), ("n" * 129, "a user's name has 128 characters at most"),
     ("a:b", "expected a user's name"), ("a\nb", "expected a user's name")],
    ids=["empty", "long", "a colon", "a line feed"],
)  # fmt: skip
def test_which_names_can_not_be_used(name: str, said: str, tmp_path: Path) -> None:
    done = add(tmp_path, name)
    assert done.code == Exit.MISTAKE
    assert said in " ".join(done.err.replace("│", " ").split())


def test_nobody_is_added_twice(tmp_path: Path) -> None:
    assert add(tmp_path, "jose\u0301").code == 0
    done = add(tmp_path, "josé")
    assert done.code == Exit.MISTAKE
    assert done.err == (
        "users.yaml has a user josé already; `gateway users passwd` changes their password\n"
    )


def ours(folder: Path) -> Path:
    file = folder / "users.yaml"
    file.write_text(ADA)
    file.chmod(0o600)
    return file


def test_a_password_is_changed_and_nothing_else(tmp_path: Path) -> None:
    file = ours(tmp_path)
    done = run("users", "passwd", "ada", "--password-stdin", cwd=tmp_path, stdin=PASSWORD)
    said = "changed the password of ada; a running gateway takes it within five seconds\n"
    assert (done.code, done.out, done.err) == (0, "", said)
    user = stored(tmp_path)["ada"]
    assert matches(user.hash, PASSWORD)
    before = re.search(r'"(.*)"', ADA)
    assert before is not None
    assert file.read_text() == ADA.replace(before[1], user.hash)
    done = run("users", "passwd", "ada", "--password-stdin", cwd=tmp_path, stdin="hunter2")
    assert "warning: a password of less than 12 characters" in done.err


def test_a_user_is_disabled_and_enabled(tmp_path: Path) -> None:
    ours(tmp_path)
    done = invoke("users", "disable", "ada", cwd=tmp_path)
    assert done.err == "disabled ada; a running gateway refuses them within five seconds\n"
    assert stored(tmp_path)["ada"].disabled
    assert invoke("users", "list", cwd=tmp_path).out.splitlines()[1].endswith("disabled")
    again = invoke("users", "disable", "ada", cwd=tmp_path)
    assert (again.code, again.err) == (Exit.MISTAKE, "the user ada is disabled already\n")
    done = invoke("users", "enable", "ada", cwd=tmp_path)
    assert done.err == "enabled ada; a running gateway lets them in within five seconds\n"
    assert not stored(tmp_path)["ada"].disabled
    again = invoke("users", "enable", "ada", cwd=tmp_path)
    assert (again.code, again.err) == (Exit.MISTAKE, "the user ada is not disabled\n")


@pytest.mark.parametrize("command", ["passwd", "disable", "enable", "remove"])
def test_who_is_not_there_can_not_be_changed(command: str, tmp_path: Path) -> None:
    ours(tmp_path)
    done = invoke("users", command, "eve", cwd=tmp_path)
    assert (done.code, done.err) == (Exit.MISTAKE, "users.yaml has no user eve\n")
    assert (tmp_path / "users.yaml").read_text() == ADA


def test_a_file_that_others_can_read_is_remarked_upon(tmp_path: Path) -> None:
    file = ours(tmp_path)
    for mode, told in ((0o600, False), (0o640, True), (0o604, True)):
        file.chmod(mode)
        for command in ("list", "enable"):
            done = invoke("users", command, *(["ada"] * (command != "list")), cwd=tmp_path)
            seen = "warning: users.yaml can be read by others" in done.err
            assert seen == (told and command == "list"), "who changes nothing is told the mistake"


def test_the_list_shows_no_hash(tmp_path: Path) -> None:
    add(tmp_path, "ada", "--role", "admin", "--role", "clerk")
    add(tmp_path, "bob")
    done = invoke("users", "list", cwd=tmp_path)
    assert done.out.splitlines() == [
        "NAME  SCOPES  ROLES        PLAN  STATE",
        "ada   -       admin clerk  -     good",
        "bob   -       -            -     good",
    ]


def test_a_user_is_removed_and_the_others_stay(tmp_path: Path) -> None:
    for name in ("ada", "bob"):
        add(tmp_path, name)
    done = invoke("users", "remove", "ada", cwd=tmp_path)
    assert done.code == 0
    assert list(stored(tmp_path)) == ["bob"]
    again = invoke("users", "remove", "ada", cwd=tmp_path)
    assert (again.code, again.err) == (Exit.MISTAKE, "users.yaml has no user ada\n")
    assert invoke("users", "remove", "bob", cwd=tmp_path).code == 0
    assert invoke("users", "list", cwd=tmp_path).err == "users.yaml has no users\n"
    assert add(tmp_path, "eve").code == 0
    assert list(stored(tmp_path)) == ["eve"]


def test_the_file_on_the_page_is_right() -> None:
    page = (Path(__file__).parents[2] / "docs" / "cli.md").read_text()
    (text,) = re.findall(r"```yaml\n(users:.*?)```", page, re.DOTALL)
    read_entries(text.encode(), "docs/cli.md", StoredUsers)
