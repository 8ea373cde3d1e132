"""From endpoints as the config has them to what an upstream lists: its own, and those of files.

A file is as strict as the config, and wrong in the same words.
"""

from __future__ import annotations

from pathlib import Path

from gateway.config import Address, ConfigError, Source, TcpAddress
from gateway.config.entries import problem_at, read_entries
from gateway.config.models.endpoint_file import EndpointFile
from gateway.config.models.upstreams import Endpoint as Given
from gateway.config.problems import on_one_line
from gateway.upstream.endpoints import AnyEndpoint, Endpoint, Listing, UnixEndpoint

_LIST = "endpoints"


def listing(given: Given) -> Listing:
    """Returns an endpoint as the config lists it."""
    return Listing(endpoint(given.address), given.weight, given.zone, given.priority)


def endpoint(address: Address) -> AnyEndpoint:
    """Returns an address as the upstream takes it."""
    if isinstance(address, TcpAddress):
        return Endpoint(address.host, address.port)
    return UnixEndpoint(str(address.path))


def read_listings(data: bytes, path: Path) -> tuple[Listing, ...]:
    """Returns what a file of endpoints lists (`gateway.upstream.spec.FileSpec.read`).

    Args:
        data: What it holds.
        path: The file: sockets are relative to its folder, and errors have its name.

    Raises:
        ValueError: It is wrong. The text says what and where, on one line.
    """
    try:
        found, source = read_entries(
            data, path.name, EndpointFile, directory=path.parent, under=_LIST
        )
        _check_once(found, source)
    except ConfigError as wrong:
        raise ValueError(on_one_line(wrong.problems)) from wrong
    return tuple(map(listing, found.endpoints))


def _check_once(file: EndpointFile, source: Source) -> None:
    first: dict[str, int] = {}
    for number, given in enumerate(file.endpoints):
        if (before := first.setdefault(str(given.address), number)) != number:
            message = f"given twice; first at {_LIST}.{before}"
            raise ConfigError([problem_at(source, (_LIST, number), message)])
