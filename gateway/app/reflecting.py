"""Where descriptors come from, with the backends looked up that are asked by reflection.

A backend is asked before its upstream is there, so what a resolver lists is looked up here once:
the first endpoint is asked. A name that is not known yet is waited for, as a backend is that can't
be reached yet.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping

from gateway.app import settings
from gateway.config import Config
from gateway.schema.load import Sources
from gateway.schema.problem import Problem, SchemaError
from gateway.schema.reflected import Bounds
from gateway.upstream.endpoints import AnyEndpoint
from gateway.upstream.resolvers import UnresolvedError
from gateway.upstream.resolvers.making import look_of
from gateway.upstream.resolvers.schedule import after_failure
from gateway.upstream.spec import ResolverSpec, UpstreamSpec

_PATIENCE = Bounds().seconds


async def sources(config: Config, specs: Mapping[str, UpstreamSpec]) -> Sources:
    """Returns where descriptors come from.

    Args:
        config: The config.
        specs: What each upstream is made of.

    Raises:
        SchemaError: A backend that is to be asked can't be looked up.
    """
    asked = [specs[name] for name in config.schema.reflection]
    found = await asyncio.gather(*map(_endpoint, asked))
    return settings.sources(
        config, {spec.name: each for spec, each in zip(asked, found, strict=True)}, specs
    )


async def _endpoint(spec: UpstreamSpec) -> AnyEndpoint:
    if spec.resolver is None:
        return spec.endpoints[0].endpoint
    try:
        return await _looked_up(spec.resolver)
    except UnresolvedError as failure:
        message = f"{spec.resolver} can't be looked up: {failure}"
        raise SchemaError(
            [Problem(f"reflection of upstream '{spec.name}'", message=message)]
        ) from failure


async def _looked_up(resolver: ResolverSpec) -> AnyEndpoint:
    look, clock = look_of(resolver), asyncio.get_running_loop().time
    end, failures = clock() + _PATIENCE, 0
    while True:
        try:
            return (await look()).listings[0].endpoint
        except UnresolvedError:
            failures += 1
            delay = after_failure(failures, resolver.refresh, random.random)
            if clock() + delay >= end:
                raise
        await asyncio.sleep(delay)
