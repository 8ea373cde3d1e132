"""Which config a command works with: the file that is named, or the one that is here."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

from gateway.cli.failure import Failure
from gateway.config import Loaded, Mocking, load, load_admin
from gateway.config.models import Admin
from gateway.supervisor.snapshot import Snapshot

FILE = Path("gateway.yaml")

# What is said of a backend that hangs up on plaintext; one that refuses connections has no TLS.
_HUNG_UP = re.compile(r"reflection of .*(can't be reached(?!.*refused)|did not answer)")
_TLS_HINT = (
    "If it speaks TLS, write a config with upstreams.NAME.tls and schema.reflection: [NAME]; "
    "--reflect speaks plaintext."
)


def reader(config: Path | None, settings: Sequence[str] | None) -> Callable[[], Loaded]:
    """Returns what reads the config, each time anew. It raises ConfigError.

    Args:
        config: The file that was named, or None for `gateway.yaml` in the current folder.
        settings: The values of `--set`.

    Raises:
        Failure: No file was named, and there is none.
    """
    return partial(load, _file(config), overrides=settings or ())


def taker(config: Path | None, settings: Sequence[str] | None) -> Callable[[], Snapshot]:
    """Returns what `reader` does, but of what a config is made.

    Raises:
        Failure: No file was named, and there is none.
    """
    return partial(Snapshot.of_file, _file(config), settings or ())


def admin_section(config: Path | None, settings: Sequence[str] | None) -> Admin | None:
    """Returns where the config's gateway is asked, whatever is wrong with the rest of the config.

    A gateway runs on while its file is broken, and is asked then more than ever.

    Args:
        config: As in `reader`.
        settings: As in `reader`.

    Raises:
        ConfigError: The section is wrong, or the file can't be read.
        Failure: No file was named, and there is none.
    """
    return load_admin(_file(config), overrides=settings or ())


def config_in(path: Path) -> Path:
    """Returns a config that is named by itself, or by the folder that it is in."""
    return path / FILE if path.is_dir() else path


def _file(config: Path | None) -> Path:
    if config is None and not FILE.exists():
        raise Failure(
            f"There is no {FILE} here. Name one with --config, or write one with `gateway init`.",
            "To try a gRPC server that has reflection without any config: "
            "`gateway serve --reflect HOST:PORT`.",
        )
    return config or FILE


def reflected(address: str, settings: Sequence[str] | None) -> Snapshot:
    """Returns the config of a gateway that asks the backend at `address` for all."""
    return Snapshot(
        "--reflect",
        {
            "schema": {"protos": [], "reflection": ["backend"]},
            "upstreams": {"backend": {"services": ["*"], "endpoints": [address]}},
        },
        settings or (),
    )


def folder(protos: Path, settings: Sequence[str] | None) -> Snapshot:
    """Returns the config of a gateway for the protos of a folder, which has no backends."""
    return Snapshot("--protos", {"schema": {"protos": [str(protos)]}}, settings or ())


def made_up(snapshot: Snapshot, mocking: Mocking | None) -> Snapshot:
    """Returns a config with how answers are made up; None leaves it as it is."""
    return snapshot if mocking is None else replace(snapshot, mocking=asdict(mocking))


@contextmanager
def advised() -> Iterator[None]:
    """Adds to the failure of a backend that was asked without a config what may be behind it."""
    try:
        yield
    except Failure as failure:
        if not any(map(_HUNG_UP.match, failure.lines)):
            raise
        raise Failure(*failure.lines, _TLS_HINT, code=failure.code) from failure
