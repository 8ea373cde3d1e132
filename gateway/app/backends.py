"""Which backends a config has, and which of them serves what.

Every mistake in it is found before a connection is made.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from gateway.app import settings
from gateway.app.build_error import BuildError
from gateway.app.coverage import unknown_services
from gateway.app.places import at_key
from gateway.config import Config, ConfigError, Loaded, Source, assign
from gateway.schema.load import Loaded as Schema
from gateway.upstream.spec import UpstreamSpec


def specs(
    config: Config, source: Source, only: Collection[str] | None = None
) -> dict[str, UpstreamSpec]:
    """Returns what each upstream is made of, by name.

    Args:
        config: The config.
        source: Where each of its values was set.
        only: The names of those that are wanted; None for all.

    Raises:
        BuildError: TLS files can't be used.
    """
    found, problems = {}, []
    size = config.listener.limits.message_size
    for name, upstream in config.upstreams.items():
        if only is not None and name not in only:
            continue
        try:
            found[name] = settings.upstream_spec(name, upstream, size, config.zone)
        except settings.SettingError as wrong:
            problems.append(at_key(wrong, source))
    if problems:
        raise BuildError(problems)
    return found


def assigned(
    schema: Schema, loaded: Loaded, known: Collection[str], problems: Iterable[str]
) -> Mapping[str, str]:
    """Returns the name of each service's upstream.

    Args:
        schema: The protos.
        loaded: The config.
        known: All services of the protos.
        problems: What else is wrong.

    Raises:
        BuildError: A service is two upstreams', or an upstream's is unknown; beside `problems`.
    """
    try:
        upstream_of = assign(schema.methods, loaded.config.upstreams, loaded.source)
    except ConfigError as wrong:
        raise BuildError([*map(str, wrong.problems), *problems]) from None
    if unknown := list(unknown_services(loaded.config, loaded.source, known)):
        raise BuildError([*unknown, *problems])
    return upstream_of
