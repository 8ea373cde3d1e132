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
    "stdin", ["", "\n", "a\nb\n", "p" * 257, "p" * 10_000, "a\0b"],
    ids=["nothing", "an empty line", "two lines", "long", "endless", "NUL"],
)  # fmt: skip
def test_which_passwords_can_not_be_used(stdin: str, tmp_path: Path) -> None:
    done = add(tmp_path, "ada", stdin=stdin)
    assert done.code == Exit.MISTAKE
    assert done.err.startswith("the password can't be used: ")
    assert not list(tmp_path.iterdir())


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


@pytest.mark.parametrize("name", ["", "a:b", "a\nb", "n" * 129])
def test_which_names_can_not_be_used(name: str, tmp_path: Path) -> None:
    done = add(tmp_path, name)
    assert done.code == Exit.MISTAKE
    assert "expected a user's name" in " ".join(done.err.replace("│", " ").split())


def test_nobody_is_added_twice(tmp_path: Path) -> None:
    assert add(tmp_path, "jose\u0301").code == 0
    done = add(tmp_path, "josé")
    assert done.code == Exit.MISTAKE
    assert done.err == "users.yaml has a user josé already; remove them first\n"


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
