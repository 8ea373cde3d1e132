"""Which upstream serves which service: a name beats a glob; two upstreams' globs are an error.

Asked after the services are known, so not part of loading.
"""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache

from gateway.config.models import Upstream
from gateway.config.problems import ConfigError, Path, Place, Problem, format_path
from gateway.config.source import Source


@lru_cache(maxsize=4096)
def _compiled(glob: str) -> re.Pattern[str]:
    return re.compile(".*".join(map(re.escape, re.sub(r"\*+", "*", glob).split("*"))), re.DOTALL)


def matches(glob: str, name: str) -> bool:
    """Whether the glob matches the whole name; `*` stands for any characters, dots included."""
    return _compiled(glob).fullmatch(name) is not None


def assign(
    services: Iterable[str], upstreams: Mapping[str, Upstream], source: Source
) -> Mapping[str, str]:
    """Give each service its upstream.

    Args:
        services: Full names of all services that are known.
        upstreams: As in the configuration.
        source: Of the configuration, for the lines in errors.

    Returns:
        Services to the names of upstreams. A service that none names is left out.

    Raises:
        ConfigError: Where globs of two upstreams match a service that neither names; one problem
            for each two globs.
    """
    exact: dict[str, str] = {}
    globs: list[tuple[str, str, Path]] = []
    for upstream, settings in upstreams.items():
        for index, text in enumerate(settings.services):
            if "*" in text:
                globs.append((text, upstream, ("upstreams", upstream, "services", index)))
            else:
                exact[text] = upstream
    assigned: dict[str, str] = {}
    clashes: dict[tuple[Path, Path], list[str]] = {}
    for service in services:
        if service in exact:
            assigned[service] = exact[service]
            continue
        found = [(upstream, path) for glob, upstream, path in globs if matches(glob, service)]
        if not found:
            continue
        first, path = found[0]
        assigned[service] = first
        for upstream, other in found[1:]:
            if upstream != first:
                clashes.setdefault((path, other), []).append(service)
    if clashes:
        raise ConfigError(_clash(*pair, names, source) for pair, names in clashes.items())
    return assigned


def _clash(first: Path, second: Path, services: list[str], source: Source) -> Problem:
    more = f" and {len(services) - 1} more" if len(services) > 1 else ""
    other = source.place(first)
    message = (
        f"this glob and that at {format_path(first)} ({other}) both match {services[0]}{more}; "
        "expected one upstream a service: name it in one of them"
    )
    return Problem.at(source.place(second) or Place("default"), second, message)
