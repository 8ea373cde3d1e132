"""The command line's root: the table of commands, and what becomes of their failures.

Help is printed from the table alone; a command's module, and all that it needs, is imported when
the command is called.
"""

from __future__ import annotations

import importlib
import inspect
import os
import sys
from typing import Annotated, Any, NamedTuple, NoReturn

import typer
from typer.core import TyperGroup

import gateway
from gateway.cli.failure import DEBUG as _DEBUG
from gateway.cli.failure import Exit, Failure, bug_lines

_GRPC_LOG = "GRPC_VERBOSITY"
_PREFIX = "Value error, "  # a parser's word before what is wrong with the value of an option


class _Entry(NamedTuple):
    """A command in the list: its module in this package, and a line of help."""

    module: str
    summary: str


_PANELS = {
    "Run": {
        "serve": _Entry("serve", "Serve gRPC backends over HTTP."),
        "demo": _Entry("demo", "Start example backends and a gateway in front of them."),
    },
    "Configure": {
        "init": _Entry("init", "Write a gateway.yaml to begin with."),
        "check": _Entry("check", "Report every mistake in the config and the protos."),
        "diff": _Entry("diff", "Tell what a new config would change in effect."),
        "config": _Entry("config", "The config file itself: its JSON Schema."),
    },
    "Look": {
        "routes": _Entry("routes", "List every REST route and the RPC it calls."),
        "explain": _Entry("explain", "Tell all that holds for one RPC, and what set it."),
        "call": _Entry("call", "Make one call through the gateway's own way to the backend."),
    },
    "Operate": {
        "why": _Entry("why", "Tell why a request went as it did, by its id."),
        "tap": _Entry("tap", "Follow what is asked, live."),
        "upstreams": _Entry("upstreams", "Tell how the backends do, live in a terminal."),
        "usage": _Entry("usage", "Tell what callers used: calls, messages, bytes."),
        "purge": _Entry("purge", "Let go of replies that are kept, by tag, by method, or all."),
        "sessions": _Entry("sessions", "List the WebSockets that are open, and whose they are."),
        "log-level": _Entry("log_level", "Have more logged, or less, for a while."),
        "drain": _Entry("drain", "Send clients elsewhere, before the gateway is ended."),
    },
    "Admit": {
        "keys": _Entry("keys", "Make, list and revoke API keys."),
        "users": _Entry("users", "Add, list and remove users with passwords."),
    },
    "Make": {
        "generate": _Entry("generate", "Write descriptors, or Python stubs, of the protos."),
    },
}
_MODULES = {name: entry.module for panel in _PANELS.values() for name, entry in panel.items()}


class _Commands(TyperGroup):
    """Lists commands without importing them."""

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """Imports the command that is called."""
        name, command, rest = super().resolve_command(ctx, args)
        if name in _MODULES:
            module = importlib.import_module(f"gateway.cli.{_MODULES[name]}")
            command = _flowing(typer.main.get_command(module.app))
        return name, command, rest

    def invoke(self, ctx: Any) -> Any:
        """Runs the command that is called."""
        try:
            return super().invoke(ctx)
        except typer.BadParameter as wrong:
            wrong.message = wrong.message.removeprefix(_PREFIX)
            raise


def _flowing(command: Any) -> Any:
    """Has a command's help, and that of those below it, wrapped by the terminal's width alone."""
    paragraphs = inspect.cleandoc(command.help or "").split("\n\n")
    command.help = "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)
    for below in getattr(command, "commands", {}).values():
        _flowing(below)
    return command


app = typer.Typer(
    cls=_Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 well, 1 something failed, 2 a mistake in the config, the protos or the "
    "command line.\n\nBegin with `gateway demo`, or with `gateway serve --reflect HOST:PORT` if "
    "you have a gRPC server with reflection.",
)


def _print_version(wanted: bool) -> None:  # noqa: FBT001  typer's callback
    if wanted:
        typer.echo(f"gateway {gateway.__version__}")
        raise typer.Exit


@app.callback()
def root(
    *,
    version: Annotated[  # noqa: ARG001  its callback does it
        bool,
        typer.Option(
            "--version", help="Print the version.", is_eager=True, callback=_print_version
        ),
    ] = False,
    debug: Annotated[
        bool,
        typer.Option(
            "--debug", help="Show a traceback if the gateway fails on a bug.", envvar=_DEBUG
        ),
    ] = False,
) -> None:
    """One HTTP endpoint in front of gRPC services, from their protos."""
    os.environ[_DEBUG] = "1" if debug else ""


def _listed() -> None:
    """Stands in for a command until it is called."""


for _panel, _entries in _PANELS.items():
    for _name, _entry in _entries.items():
        app.command(_name, help=_entry.summary, rich_help_panel=_panel)(_listed)


def run() -> NoReturn:
    """Runs the command, prints what a user must know of its failure, and exits."""
    # Read by gRPC's C core when it is imported: its own lines are not for the gateway's users, who
    # get causes in the log `gateway.upstream`. Child processes inherit it.
    os.environ.setdefault(_GRPC_LOG, "NONE")
    try:
        app(prog_name="gateway")
    except Failure as failure:
        for line in failure.lines:
            typer.echo(line, err=True)
        sys.exit(failure.code)
    except Exception as bug:
        if os.environ.get(_DEBUG):
            raise
        for line in bug_lines(bug):
            typer.echo(line, err=True)
        sys.exit(Exit.FAILED)
    raise AssertionError("typer exits")
