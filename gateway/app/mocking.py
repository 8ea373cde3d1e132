"""`serve --mock`: what takes the calls of all methods in place of their upstreams.

Everything else of a generation is as its config says: who may call, limits, caches, faults. No
backend is asked for anything: not for its descriptors, its health or its address, and its TLS files
are not read. What is asked all the same are those who judge callers (`ext_authz`): they are no part
of the API.
"""

from __future__ import annotations

import asyncio
import copy
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

from google.protobuf.descriptor import Descriptor

from gateway.app.build_error import BuildError
from gateway.app.mock_files import Written, read_answers
from gateway.app.state import MEMORY
from gateway.config import Config, Loaded, Mocking, Settings, Upstream
from gateway.mock.answers import Answers
from gateway.mock.dice import Dice
from gateway.mock.messages import Maker
from gateway.mock.shape import shape_of
from gateway.mock.upstream import Mocked, MockUpstream, Pace
from gateway.mock.written import Delay, Faults
from gateway.policies.made_up import SAID, MadeUp
from gateway.schema.codec.traits import is_map_entry, reached
from gateway.schema.declared_at import declared_at
from gateway.schema.method import MethodDescriptor
from gateway.schema.problem import Problem

if TYPE_CHECKING:
    from gateway.app.parts import Making

_Model = TypeVar("_Model")

UPSTREAM: Final = "(mock)"
"""The upstream of services that the config gives none. No name in a config is like it."""

_REFLECTS: Final = (
    "schema.reflection: --mock asks no backend for its descriptors. Write them to a file while the "
    "backend is there (`gateway generate descriptors`), then use --set schema.reflection=[] "
    "--set schema.descriptor_sets=[FILE]; or name the protos in schema.protos"
)


def mocked(loaded: Loaded) -> Loaded:
    """Returns a config as answers are made up by it: with an upstream for whatever has none.

    What is kept beyond a call is kept in memory. A Redis may be that of gateways that ask backends:
    they would answer what was made up here, and count the calls of here.

    Raises:
        BuildError: It asks backends for descriptors.
    """
    config, source = loaded.config, loaded.source
    if config.schema.reflection:
        raise BuildError([f"{source.locate('schema.reflection')}: {_REFLECTS}"])
    # Past its validation: what is in it has passed that, and is not as a file has it any more.
    changes = {
        "upstreams": {**config.upstreams, UPSTREAM: Upstream()},
        "state": MEMORY,
        "cache": _copied(config.cache, {"state": None}),
    }
    return replace(loaded, config=_copied(config, changes))


def _copied(model: _Model, changes: Mapping[str, object]) -> _Model:
    changed = copy.copy(model)
    for name, value in changes.items():
        object.__setattr__(changed, name, value)
    return changed


def judges(config: Config) -> frozenset[str]:
    """Returns the names of the upstreams that are asked about callers."""
    given = config.auth.providers.values()
    return frozenset(each.ext_authz.upstream for each in given if each.ext_authz is not None)


def assigned(upstream_of: Mapping[str, str], services: Collection[str]) -> Mapping[str, str]:
    """Returns the name of each service's upstream: those that have none are made up, too."""
    return {service: upstream_of.get(service, UPSTREAM) for service in services}


class Marking:
    """Makes the policy that tells clients (`gateway.app.parts.Part`)."""

    def policies(
        self,
        descriptor: MethodDescriptor,  # noqa: ARG002  the interface's
        settings: Settings,  # noqa: ARG002  the interface's
        upstream: str,  # noqa: ARG002  the interface's
    ) -> Sequence[MadeUp]:
        """See Part."""
        return (MadeUp(),)


class Mock(NamedTuple):
    """What answers in place of backends.

    Attributes:
        upstream: Takes all calls.
        written: Digests of the answers that somebody wrote, by method.
        greeting: Headers with which WebSockets are opened.
    """

    upstream: MockUpstream
    written: Mapping[str, bytes]
    greeting: tuple[tuple[str, str], ...] = tuple(SAID.items())


async def mock_of(mocking: Mocking, making: Making) -> Mock:
    """Returns what takes all calls; adds to `making.problems` and `making.warnings`.

    Args:
        mocking: How answers are made up.
        making: What the generation is made of.
    """
    registry, descriptors = making.registry, making.descriptors
    replies = {each.output: registry.message(each.output) for each in descriptors.values()}
    maker = Maker(registry, replies.values(), time.time_ns)
    dice = Dice(b"mock").of(mocking.seed)
    written = Written({}, (), 0)
    if mocking.files is not None:
        written = await asyncio.to_thread(
            read_answers, Path(mocking.files), descriptors.values(), registry
        )
    making.problems.extend(written.problems)
    methods = {}
    for name, each in descriptors.items():
        request, reply = registry.message(each.input), replies[each.output]
        shape = shape_of(name.partition("/")[2], request, reply)
        answers = Answers(maker, name, shape, reply, dice)
        entries = written.by_method.get(name, ())
        methods[name] = Mocked(each.kind, partial(maker.new, request), answers, entries)
    making.warnings.append(_said(mocking, written))
    making.warnings.extend(_unkept(making, maker, replies.values()))
    pace = Pace(Delay(*mocking.latency), mocking.interval, Faults(mocking.errors))
    return Mock(MockUpstream(methods, pace, dice, making.clock), written.digests)


def _said(mocking: Mocking, written: Written) -> str:
    """Returns what an operator must not overlook."""
    said = [f"seed {mocking.seed}"]
    if mocking.files is not None:
        methods = len(written.by_method)
        said.append(f"{written.count} written for {methods} methods in {mocking.files}")
    if mocking.errors:
        said.append(f"{mocking.errors:g} % of the calls fail")
    if mocking.latency[1]:
        said.append(f"{mocking.latency[0]:g} to {mocking.latency[1]:g} s late")
    return f"mock: every answer is made up, and no backend is called ({', '.join(said)})"


def _unkept(making: Making, maker: Maker, replies: Iterable[Descriptor]) -> list[str]:
    """Returns what is said of rules that made-up answers may not keep, a line for each field."""
    if not maker.has_rules:
        return []
    seen: dict[str, Descriptor] = {}
    for reply in replies:
        seen |= {each.full_name: each for each in reached(reply) if each.full_name not in seen}
    for each in seen.values():
        if not is_map_entry(each):
            maker.message(each, Dice(each.full_name.encode()))
    said = []
    for name in sorted(maker.unkept):
        origin, line = declared_at(making.registry, maker.unkept[name])
        text = f"a rule of {name} is not kept by answers that are made up"
        said.append(str(Problem(origin, line, message=text)))
    return said
