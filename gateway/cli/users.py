"""`gateway users`: the file of users who log in with a password, in which only hashes stand."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Final, TypeAlias

import typer

from gateway.cli import entry_file
from gateway.cli.failure import Failure
from gateway.config import edits
from gateway.config.models.entries import ROLE, SCOPE, USER_NAME, StoredUser, StoredUsers
from gateway.config.scalars import NAME
from gateway.policies.auth.basic_header import (
    LONGEST_NAME,
    LONGEST_PASSWORD,
    MalformedError,
    in_normal_form,
    login_of,
)
from gateway.policies.auth.passwords import hash_password

app = typer.Typer(no_args_is_help=True, add_completion=False)

File: TypeAlias = Annotated[
    Path, typer.Option("--file", metavar="FILE", help="The file of users that the config names.")
]
Name: TypeAlias = Annotated[str, typer.Argument(metavar="NAME", help="The name to log in with.")]

FromStdin: TypeAlias = Annotated[
    bool, typer.Option("--password-stdin", help="Read the password from standard input.")
]

_FILE: Final = Path("users.yaml")
_SECTION: Final = "users"
_HEADER: Final = "# Users, by their names; of passwords only hashes. Written by `gateway users`.\n"
_MOST: Final = 4 * LONGEST_PASSWORD + 2  # bytes of standard input: CR and LF may be at its end
_SHORT: Final = 12  # characters below which a password is remarked upon
_HEAD: Final = ("NAME", "SCOPES", "ROLES", "PLAN", "STATE")


@app.callback()
def users() -> None:
    """Add, list, change and remove users. A running gateway takes changes within five seconds."""


@app.command()
def add(
    name: Name,
    *,
    file: File = _FILE,
    scope: Annotated[
        list[str] | None, typer.Option(metavar="SCOPE", help="What they may do. May be repeated.")
    ] = None,
    role: Annotated[
        list[str] | None, typer.Option(metavar="ROLE", help="What they are. May be repeated.")
    ] = None,
    plan: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Their plan: `principal.plan` in conditions."),
    ] = None,
    claim: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=TEXT", help="What else is said of them. May be repeated."),
    ] = None,
    password_stdin: FromStdin = False,
) -> None:
    """Ask for a password, and write the user with its hash into the file.

    A file that is not there is made, for nobody else to read.
    """
    name = _checked(name)
    given: dict[str, object] = {
        "scopes": [entry_file.checked("--scope", SCOPE, each) for each in scope or ()],
        "roles": [entry_file.checked("--role", ROLE, each) for each in role or ()],
        "plan": None if plan is None else entry_file.checked("--plan", NAME, plan),
        "claims": dict(map(entry_file.claim, claim or ())),
    }
    if file.exists():
        _refuse_twice(name, file, entry_file.read(file, StoredUsers))
    password = _password(name, from_stdin=password_stdin)
    entry = {"hash": hash_password(password), **{k: v for k, v in given.items() if v}}

    def edit(text: str, found: StoredUsers) -> str:
        _refuse_twice(name, file, found)
        return edits.add(text, _SECTION, name, entry)

    entry_file.change(file, StoredUsers, edit, header=_HEADER)
    typer.echo(f"wrote {file}: user {name}", err=True)
    _remark_upon(password)


@app.command()
def passwd(name: Name, *, file: File = _FILE, password_stdin: FromStdin = False) -> None:
    """Ask for another password of a user. The one before is refused from then on."""
    name = in_normal_form(name)
    _known(name, file, entry_file.read(file, StoredUsers))
    password = _password(name, from_stdin=password_stdin)
    stored = hash_password(password)

    def edit(text: str, found: StoredUsers) -> str:
        _known(name, file, found)
        return edits.put(text, _SECTION, name, "hash", stored)

    entry_file.change(file, StoredUsers, edit)
    typer.echo(
        f"changed the password of {name}; a running gateway takes it within five seconds", err=True
    )
    _remark_upon(password)


@app.command()
def disable(name: Name, *, file: File = _FILE) -> None:
    """Have a user refused from now on. Their entry stays, with `disabled: true`."""
    name = in_normal_form(name)

    def edit(text: str, found: StoredUsers) -> str:
        if _known(name, file, found).disabled:
            raise Failure(f"the user {name} is disabled already")
        return edits.put(text, _SECTION, name, "disabled", value=True)

    entry_file.change(file, StoredUsers, edit)
    typer.echo(f"disabled {name}; a running gateway refuses them within five seconds", err=True)


@app.command()
def enable(name: Name, *, file: File = _FILE) -> None:
    """Have a user that was disabled let in again."""
    name = in_normal_form(name)

    def edit(text: str, found: StoredUsers) -> str:
        if not _known(name, file, found).disabled:
            raise Failure(f"the user {name} is not disabled")
        return edits.put(text, _SECTION, name, "disabled", value=False)

    entry_file.change(file, StoredUsers, edit)
    typer.echo(f"enabled {name}; a running gateway lets them in within five seconds", err=True)


@app.command("list")
def list_(*, file: File = _FILE) -> None:
    """List the users by their names, with what they may do."""
    stored = entry_file.read(file, StoredUsers).users
    if not stored:
        typer.echo(f"{file} has no users", err=True)
        return
    for line in entry_file.table(_HEAD, [_row(name, user) for name, user in stored.items()]):
        typer.echo(line)


@app.command()
def remove(name: Name, *, file: File = _FILE) -> None:
    """Remove a user: they are refused from now on."""
    name = in_normal_form(name)

    def edit(text: str, found: StoredUsers) -> str:
        _known(name, file, found)
        return edits.remove(text, _SECTION, name)

    entry_file.change(file, StoredUsers, edit)
    typer.echo(f"removed {name}; a running gateway refuses them within five seconds", err=True)


def _row(name: str, user: StoredUser) -> tuple[str, ...]:
    return (
        name,
        " ".join(user.scopes) or "-",
        " ".join(user.roles) or "-",
        user.plan or "-",
        "disabled" if user.disabled else "good",
    )


def _checked(name: str) -> str:
    """Returns a name in the form in which it is stored.

    Raises:
        typer.BadParameter: Nobody can log in with it.
    """
    name = in_normal_form(name)
    if not name:
        raise typer.BadParameter("NAME: a user's name can't be empty")
    if len(name) > LONGEST_NAME:
        raise typer.BadParameter(f"NAME: a user's name has {LONGEST_NAME} characters at most")
    return entry_file.checked("NAME", USER_NAME, name)


def _known(name: str, file: Path, found: StoredUsers) -> StoredUser:
    if name not in found.users:
        raise Failure(f"{file} has no user {entry_file.shown(name)}")
    return found.users[name]


def _refuse_twice(name: str, file: Path, found: StoredUsers) -> None:
    if name in found.users:
        raise Failure(
            f"{file} has a user {name} already; `gateway users passwd` changes their password"
        )


def _password(name: str, *, from_stdin: bool) -> str:
    """Returns a password for a user, in the form in which it is hashed.

    Raises:
        Failure: It can't be one, or there is nobody to ask.
    """
    try:
        return login_of(name, _from_stdin() if from_stdin else _asked()).password
    except MalformedError as wrong:
        raise Failure(str(wrong)) from wrong


def _remark_upon(password: str) -> None:
    if len(password) < _SHORT:
        typer.echo(
            f"warning: a password of less than {_SHORT} characters is guessed soon", err=True
        )


def _asked() -> str:
    if not sys.stdin.isatty():
        raise Failure("there is no terminal to ask for a password; use --password-stdin")
    found: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    return found


def _from_stdin() -> str:
    """Returns what standard input holds, less the line feed at its end.

    Raises:
        Failure: It is no text, or too much.
    """
    data = sys.stdin.buffer.read(_MOST + 1)
    if len(data) > _MOST:
        raise Failure(f"the password is longer than {LONGEST_PASSWORD} characters")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Failure("the password on standard input is no text in UTF-8") from error
    return text.removesuffix("\n").removesuffix("\r")
