"""`gateway tap`: follows what a running gateway is asked, a line for each request as it ends."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from secrets import token_hex
from typing import Annotated, Any, Final

import typer

from gateway.cli import options
from gateway.cli.admin_client import Admin, Token, get, other_release, place
from gateway.cli.interrupting import until_interrupted
from gateway.config.problems import printable
from gateway.config.units import say_time

app = typer.Typer(add_completion=False)

_PAUSE: Final = 0.5  # seconds between two questions
_RED, _YELLOW, _PLAIN = "\x1b[31m", "\x1b[33m", "\x1b[0m"
_FAILED: Final = 500
_REFUSED: Final = 400


@app.command()
def tap(
    *,
    method: Annotated[
        str | None, typer.Option(metavar="GLOB", help="Of these methods, e.g. shop.orders.*")
    ] = None,
    status: Annotated[
        str | None, typer.Option(metavar="STATUS", help="404, 5xx, or a gRPC code.")
    ] = None,
    principal: Annotated[
        str | None, typer.Option(metavar="SUBJECT", help="Of this caller.")
    ] = None,
    front: Annotated[
        str | None, typer.Option(metavar="NAME", help="rest, graphql or websocket.")
    ] = None,
    peer: Annotated[
        str | None, typer.Option(metavar="CIDR", help="Of clients with these addresses.")
    ] = None,
    slower: Annotated[
        str | None, typer.Option(metavar="DURATION", help="That took as long at least: 100ms.")
    ] = None,
    sample: Annotated[int, typer.Option(min=1, metavar="N", help="One of N.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="A line of JSON for each.")] = False,
    admin: Admin = None,
    token: Token = None,
    config: options.Config = None,
    settings: options.Set = None,
) -> None:
    """Follow what is asked, a line for each request as it ends, until Ctrl-C.

    Where too much is asked, lines are left out, and how many is said: narrow it down, or use
    --sample.
    """
    where = place(admin, config, settings, token)
    given = {
        "method": method, "status": status, "principal": principal, "front": front, "peer": peer,
        "slower": slower, "sample": str(sample),
    }  # fmt: skip
    query = {name: value for name, value in given.items() if value is not None}
    query["watch"] = token_hex(8)
    colours = sys.stdout.isatty()
    with until_interrupted() as interrupted:
        while not interrupted():
            answer = json.loads(get(where, "/tap", query))
            try:
                for row in answer["rows"]:
                    typer.echo(json.dumps(row) if as_json else line_of(row, colours=colours))
                missed = answer["missed"]
            except (LookupError, TypeError, AttributeError):
                raise other_release(where) from None
            if missed:
                typer.echo(f"{missed:,} more were left out", err=True)
            time.sleep(_PAUSE)


def line_of(row: Mapping[str, Any], *, colours: bool) -> str:
    """Returns a request as a line.

    Args:
        row: Of the page `/tap` (`gateway.telemetry.recorder.rows`).
        colours: Whether what failed stands out.
    """
    at = datetime.fromtimestamp(row["time"], UTC).strftime("%H:%M:%S.%f")[:-3]
    status = str(row["close"] or row["status"] or "-")
    code = row["code"] or "-"
    end = f"{code} {row['reason']}" if row["reason"] else code
    attempts = f" ({row['attempts']} attempts)" if row["attempts"] > 1 else ""
    parts = (
        *(at, f"{status:>4}", end, f"{say_time(row['seconds']):>8}", row["front"] or "-"),
        *(row["what"], row["principal"] or "-", row["peer"] or "-"),
        *((row["endpoint"] or "-") + attempts, row["request_id"] or "-"),
    )
    line = printable("  ".join(parts))
    colour = _colour(row)
    return f"{colour}{line}{_PLAIN}" if colours and colour else line


def _colour(row: Mapping[str, Any]) -> str:
    if row["status"] >= _FAILED or row["code"] in ("INTERNAL", "UNAVAILABLE", "DEADLINE_EXCEEDED"):
        return _RED
    return _YELLOW if row["status"] >= _REFUSED or row["code"] not in ("OK", None) else ""
