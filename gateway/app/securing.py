"""The TLS of the listener over reloads: its files may change, and what they hold.

Whether there is TLS at all is decided at the start: it is part of the address.
"""

from __future__ import annotations

import ssl

from gateway.app import settings
from gateway.app.build_error import BuildError
from gateway.app.generation import Generation
from gateway.config import Config, Source
from gateway.listener.tls import Tls, TlsError, context

_KEY = ("listener", "tls")


def tls_files(started: Config, newest: Config) -> Tls | None:
    """Returns the files to serve with: those of the newest config that has any.

    Args:
        started: The config of the start.
        newest: The one that serves.
    """
    given = newest if started.listener.tls and newest.listener.tls else started
    return settings.listener_tls(given.listener)


def files_to_read(started: Config, before: Generation, after: Generation) -> Tls | None:
    """Returns the files that the listener is to read anew; None where it goes on as it does.

    Args:
        started: The config of the start.
        before: The generation that serves.
        after: The one that will.
    """
    if started.listener.tls is None or after.config.listener.tls is None:
        return None
    return None if _said(before) == _said(after) else tls_files(started, after.config)


def secured(tls: Tls, source: Source) -> ssl.SSLContext:
    """Returns what the listener is to use from now on. Blocks.

    Args:
        tls: Its files.
        source: The lines of the config that names them.

    Raises:
        BuildError: A file can't be used.
    """
    try:
        return context(tls)
    except TlsError as wrong:
        name = ".".join(_KEY)
        raise BuildError([f"{source.locate(name)}: {name}: {wrong}"]) from wrong


def _said(generation: Generation) -> object:
    """Returns what a config says of TLS, and what is in the files that it names."""
    files = {key: each for key, each in generation.contents.items() if key[:2] == _KEY}
    return generation.config.listener.tls, files
