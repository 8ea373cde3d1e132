"""`gateway keys`: the file of API keys, in which only their hashes stand."""

from __future__ import annotations

import re
import time
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Final, TypeAlias

import typer

from gateway.cli import entry_file
from gateway.cli.failure import Failure
from gateway.cli.signing import signing
from gateway.config import edits
from gateway.config.instants import format_instant, parse_instant
from gateway.config.models.entries import (
    LABEL,
    ROLE,
    SCOPE,
    SUBJECT,
    StoredKey,
    StoredKeys,
)
from gateway.config.scalars import NAME
from gateway.policies.auth.key_form import digest_of, id_in, is_our_id, new_key

app = typer.Typer(no_args_is_help=True, add_completion=False)

File: TypeAlias = Annotated[
    Path, typer.Option("--file", metavar="FILE", help="The file of keys that the config names.")
]

Which: TypeAlias = Annotated[
    str,
    typer.Argument(metavar="ID", help="The key's id, as `list` prints it; gw_ID; or the key."),
]

_FILE: Final = Path("keys.yaml")
_SECTION: Final = "keys"
_HEADER: Final = "# API keys, by their ids; of each only its hash. Written by `gateway keys`.\n"
_UNITS: Final = {"d": "days", "h": "hours", "m": "minutes", "s": "seconds"}
_SPAN: Final = re.compile(r"([1-9][0-9]{0,5})([dhms])")
_HEAD: Final = ("ID", "OWNER", "NAME", "SCOPES", "ROLES", "PLAN", "CREATED", "EXPIRES", "STATE")


@app.callback()
def keys() -> None:
    """Make, list and revoke API keys. A running gateway takes changes within five seconds."""


@app.command()
def new(
    *,
    owner: Annotated[
        str, typer.Option(metavar="SUBJECT", help="Whose key it is: the subject of its calls.")
    ],
    file: File = _FILE,
    name: Annotated[str | None, typer.Option(metavar="TEXT", help="What it is for.")] = None,
    scope: Annotated[
        list[str] | None, typer.Option(metavar="SCOPE", help="What it may do. May be repeated.")
    ] = None,
    role: Annotated[
        list[str] | None, typer.Option(metavar="ROLE", help="What it is. May be repeated.")
    ] = None,
    plan: Annotated[
        str | None, typer.Option(metavar="NAME", help="Its plan: `principal.plan` in conditions.")
    ] = None,
    claim: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=TEXT", help="What else is said of it. May be repeated."),
    ] = None,
    expires: Annotated[
        str | None,
        typer.Option(
            metavar="WHEN",
            help="Until when it is good: in 90d or 12h, or at 2027-06-30T00:00:00Z.",
            show_default="never ends",
        ),
    ] = None,
) -> None:
    """Make a key, print it, and write its hash into the file.

    The key is printed once, alone on standard output, and can't be had again. A file that is not
    there is made, for nobody else to read.
    """
    now = time.time()
    key = new_key()
    given: dict[str, object] = {
        "name": None if name is None else entry_file.checked("--name", LABEL, name),
        "owner": entry_file.checked("--owner", SUBJECT, owner),
        "hash": f"sha256:{digest_of(key.text).hex()}",
        "scopes": [entry_file.checked("--scope", SCOPE, each) for each in scope or ()],
        "roles": [entry_file.checked("--role", ROLE, each) for each in role or ()],
        "plan": None if plan is None else entry_file.checked("--plan", NAME, plan),
        "claims": dict(map(entry_file.claim, claim or ())),
        "created": format_instant(now),
        "expires": None if expires is None else format_instant(_end(expires, now)),
    }
    entry = {name: value for name, value in given.items() if value}
    entry_file.change(
        file, StoredKeys, lambda text, _: edits.add(text, _SECTION, key.id, entry), header=_HEADER
    )
    typer.echo(key.text)
    until = f"good until {entry['expires']}" if expires else "with no end"
    typer.echo(f"wrote {file}: key {key.id} of {owner}, {until}; it is shown only now", err=True)


@app.command("list")
def list_(*, file: File = _FILE) -> None:
    """List the keys by their ids, with what they may do."""
    stored = entry_file.read(file, StoredKeys).keys
    if not stored:
        typer.echo(f"{file} has no keys", err=True)
        return
    now = time.time()
    rows = [_row(name, key, now) for name, key in stored.items()]
    for line in entry_file.table(_HEAD, rows):
        typer.echo(line)


@app.command()
def revoke(key: Which, *, file: File = _FILE) -> None:
    """Have a key refused from now on.

    Its entry stays, with `disabled: true`, so that it can be told later whose it was. Of a whole
    key only the id is used, and what is given is never printed.
    """
    name = _switch(key, file, disabled=True)
    typer.echo(f"revoked {name}; a running gateway refuses it within five seconds", err=True)


@app.command()
def enable(key: Which, *, file: File = _FILE) -> None:
    """Have a key that was revoked taken again."""
    name = _switch(key, file, disabled=False)
    typer.echo(f"enabled {name}; a running gateway takes it within five seconds", err=True)


def _switch(given: str, file: Path, *, disabled: bool) -> str:
    """Revokes or enables a key, and returns its id."""
    name = ""

    def edit(text: str, found: StoredKeys) -> str:
        nonlocal name
        name = _id_of(given, found, file)
        if found.keys[name].disabled == disabled:
            raise Failure(f"the key {name} is {'revoked already' if disabled else 'not revoked'}")
        return edits.put(text, _SECTION, name, "disabled", value=disabled)

    entry_file.change(file, StoredKeys, edit)
    return name


def _id_of(given: str, found: StoredKeys, file: Path) -> str:
    """Returns the id of a key in a file.

    Raises:
        Failure: There is none. What was given is repeated only where it can't be a key.
    """
    if given in found.keys:
        return given
    name = id_in(given)
    if name is not None and name in found.keys:
        return name
    raise Failure(f"there is no {f'key {given}' if is_our_id(given) else 'such key'} in {file}")


def _row(name: str, key: StoredKey, now: float) -> tuple[str, ...]:
    ended = key.expires is not None and key.expires <= now
    return (
        name,
        key.owner,
        key.name or "-",
        " ".join(key.scopes) or "-",
        " ".join(key.roles) or "-",
        key.plan or "-",
        "-" if key.created is None else format_instant(key.created),
        "never" if key.expires is None else format_instant(key.expires),
        "revoked" if key.disabled else "expired" if ended else "good",
    )


def _end(text: str, now: float) -> float:
    """Returns when a key ends, seconds since 1970.

    Raises:
        typer.BadParameter: It is no time, or is over.
    """
    expected = (
        "--expires: expected a span such as 90d or 12h, or a time such as 2027-06-30T00:00:00Z"
    )
    if span := _SPAN.fullmatch(text):
        return now + timedelta(**{_UNITS[span[2]]: int(span[1])}).total_seconds()
    try:
        end = parse_instant(text)
    except ValueError as wrong:
        raise typer.BadParameter(expected) from wrong
    if end <= now:
        raise typer.BadParameter("--expires: that is over already")
    return end


app.command()(signing)
