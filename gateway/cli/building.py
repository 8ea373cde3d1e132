"""Builds what a command looks at: a generation or a schema, and its mistakes as lines.

Nothing is served here, and no connection is opened but to backends that are asked for their
descriptors.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic

from gateway.app import BuildError, Generation, build, settings
from gateway.app.pool import UpstreamPool
from gateway.app.reflecting import sources
from gateway.cli.failure import Exit, Failure
from gateway.cli.terminal import progress
from gateway.config import ConfigError, Loaded
from gateway.listener import ListenError, TlsError
from gateway.schema.load import Loaded as Schema
from gateway.schema.load import load
from gateway.schema.problem import SchemaError
from gateway.upstream.spec import UpstreamSpec
from gateway.upstream.transports import transport_of
from gateway.upstream.upstream import Upstream

MISTAKES = (ConfigError, BuildError, SchemaError, TlsError, settings.SettingError)
"""What is raised for what the user wrote."""


def lines_of(mistake: Exception) -> list[str]:
    """Returns what is wrong, a problem a line."""
    problems = getattr(mistake, "problems", None)
    return [str(each) for each in problems] if problems else [str(mistake)]


@contextmanager
def reported() -> Iterator[None]:
    """Turns mistakes of the config and the protos, and taken ports, into failures of a command."""
    try:
        yield
    except MISTAKES as mistake:
        raise Failure(*lines_of(mistake)) from mistake
    except ListenError as error:
        raise Failure(str(error), code=Exit.FAILED) from error


async def examined(read: Callable[[], Loaded]) -> Generation:
    """Builds a generation to look at: its methods can't be called.

    Args:
        read: Reads the config.

    Raises:
        Failure: It can't be built.
    """
    with reported():
        return await looked_at(read())


async def looked_at(loaded: Loaded) -> Generation:
    """Builds a generation as `examined` does; for who tells its mistakes in another form.

    Args:
        loaded: The config.

    Raises:
        Exception: One of `MISTAKES`.
    """
    with progress() as tell:
        return await build(loaded, UpstreamPool(build=_unconnected), tell)


async def schema_of(read: Callable[[], Loaded]) -> Schema:
    """Loads the schema of a config, without its routes.

    Raises:
        Failure: It can't be loaded.
    """
    with reported(), progress() as tell:
        config = read().config
        size = config.listener.limits.message_size
        specs = {
            name: settings.upstream_spec(name, upstream, size)
            for name, upstream in config.upstreams.items()
        }
        return await load(await sources(config, specs), progress=tell)


def _unconnected(spec: UpstreamSpec) -> Upstream:
    return Upstream(spec, transport_of(spec.channel.transport), clock=monotonic)  # not opened
