"""The command `gateway`: one command a module, each imported only when it is called.

Commands read options, call `app` and its parts, and print. What a command prints on standard output
and its exit codes are a contract: 0 well, 1 failed, 2 a mistake in the config, the protos or the
command line.
"""

from __future__ import annotations

from typing import NoReturn

__all__ = ["main"]


def main() -> NoReturn:
    """Runs the command that the command line asks for, and exits."""
    from gateway.cli.application import run  # noqa: PLC0415  importing the package stays free

    run()
