"""What governs each method: the options of its proto, and the policies of the config above them.

Policies that would protect nothing, and settings that can't hold, are found here: a provider that
only a proto names, and that the config does not have, would leave a method open or closed without a
word. Methods that are not served are not judged.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from gateway.app.identity import is_open_to_all
from gateway.app.places import placed
from gateway.config import Config, Loaded, Settings, effective, idle_patterns
from gateway.config.effective import AUTHENTICATE, ROLES, SCOPES, Setting
from gateway.config.identity_checks import NONE
from gateway.config.naming import meant
from gateway.schema.load import Loaded as Schema
from gateway.schema.policy_options import declared
from gateway.schema.registry import Registry


@dataclass(frozen=True, slots=True)
class Governing:
    """What holds for the methods of a schema.

    Attributes:
        settings: By full name, of all methods of exposed services.
        problems: What can't hold, as lines.
    """

    settings: Mapping[str, Settings]
    problems: tuple[str, ...]


def governing(loaded: Loaded, schema: Schema, upstream_of: Mapping[str, str]) -> Governing:
    """Returns what holds for each method.

    Args:
        loaded: The config.
        schema: The protos.
        upstream_of: Names of upstreams by service: methods of others are not served.
    """
    config, source = loaded.config, loaded.source
    said = declared(schema.registry, schema.methods)
    by_proto = {
        method: {leaf: Setting(*each) for leaf, each in leaves.items()}
        for method, leaves in said.methods.items()
    }
    names = [each.name for descriptors in schema.methods.values() for each in descriptors]
    settings = effective(names, config.policies, source, by_proto)
    served = {
        descriptor.name: settings[descriptor.name]
        for service, descriptors in schema.methods.items()
        if service in upstream_of
        for descriptor in descriptors
    }
    return Governing(
        settings,
        (
            *placed(said.problems, source),
            *map(str, idle_patterns(_known(schema.registry), config.policies, source)),
            *dict.fromkeys(_impossible(config, served.values())),
        ),
    )


def open_warning(
    config: Config, served: Iterable[str], settings: Mapping[str, Settings]
) -> list[str]:
    """Returns a warning that names all methods which callers reach who show nobody, if any.

    It has a line for each service, below a heading.

    Args:
        config: The config. Without providers nobody can show anything, and there is no warning.
        served: Full names of methods.
        settings: What holds for each.
    """
    if not config.auth.providers:
        return []
    services: dict[str, list[str]] = {}
    for name in sorted(name for name in served if is_open_to_all(settings[name])):
        service, _, method = name.rpartition("/")
        services.setdefault(service, []).append(method)
    lines = [f"  {service}: {', '.join(methods)}" for service, methods in services.items()]
    return ["\n".join(["reachable without authentication:", *lines])] if lines else []


def _known(registry: Registry) -> Iterable[str]:
    """Yields the names of all methods, also of services that are not exposed."""
    for service in registry.services():
        for method in registry.pool.FindServiceByName(service).methods:
            yield f"{service}/{method.name}"


def _impossible(config: Config, settings: Iterable[Settings]) -> Iterable[str]:
    """Yields a line for each setting that needs a provider which there is not.

    Those of the config's own lines were found when it was read (`config.checks`).
    """
    providers = list(config.auth.providers)
    for each in settings:
        for name in each.authenticate or ():
            if name != NONE and name not in providers:
                wrong = f'no provider has the name "{name}"; {meant(name, [*providers, NONE])}'
                yield each.mistake(AUTHENTICATE, wrong)
        if not providers:
            for leaf, value in ((SCOPES, each.scopes), (ROLES, each.roles)):
                if value:
                    yield each.mistake(leaf, "there are no auth.providers: nobody has any")
