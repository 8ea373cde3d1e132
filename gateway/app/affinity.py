"""From `upstreams.*.affinity` and `balancing.hash_on` to what keeps calls together at an upstream.

The upstream is given a key of each call (`upstream.manner`). A field of the request may be one that
only some of an upstream's methods have: calls of the others go by the balancing policy, which is
noted; a field that none has is wrong.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from gateway.app.id_cookies import by_upstream
from gateway.app.places import of_key
from gateway.app.policy_of import listed
from gateway.chain import Policy
from gateway.config import Settings, assign
from gateway.config.models.upstreams import Upstream
from gateway.config.problems import Path
from gateway.policies.affinity import Affinity
from gateway.policies.hash_key import FIELD, KeyOf, by_affinity, key_on, no_key
from gateway.policies.request_field import FieldError, RequestField
from gateway.schema.method import Kind, MethodDescriptor

if TYPE_CHECKING:
    from gateway.app.parts import Keyed, Making

_OF_STREAMS: Final = "there is no request yet when a stream begins"


def affinity(making: Making) -> Keyed:
    """Returns what keeps calls together; adds to `making.problems` and `making.notes`."""
    return _Affinity(making, _look_at_fields(making))


class _Affinity:
    """Makes the gates and keys of methods (`gateway.app.parts.Keyed`).

    Args:
        making: What they are made of.
        without: By upstream, the methods of which a field can be no key.
    """

    def __init__(self, making: Making, without: Mapping[str, set[str]]) -> None:
        self._making = making
        self._without = without
        self._cookies = by_upstream(making.config)

    def policies(
        self,
        descriptor: MethodDescriptor,  # noqa: ARG002  the interface's
        settings: Settings,  # noqa: ARG002  the interface's
        upstream: str,
    ) -> Sequence[Policy]:
        """See Part."""
        cookie = self._cookies.get(upstream)
        return () if cookie is None else (Affinity(cookie),)

    def key(self, descriptor: MethodDescriptor, upstream: str) -> KeyOf | None:
        """See Keyed."""
        if upstream in self._cookies:
            return by_affinity
        _, what = _said(upstream, self._making.config.upstreams[upstream])
        if what is None:
            return None
        if descriptor.name in self._without.get(upstream, ()):
            return no_key
        return key_on(what, self._making.registry.message(descriptor.input))


def _said(name: str, upstream: Upstream) -> tuple[Path, str | None]:
    """Returns the key that says what calls to an upstream have in common, and what that is."""
    if upstream.affinity is not None:
        return ("upstreams", name, "affinity", "on"), upstream.affinity.on
    return ("upstreams", name, "balancing", "hash_on"), upstream.balancing.hash_on


def _look_at_fields(making: Making) -> Mapping[str, set[str]]:
    """Tells of fields that not all methods of an upstream have.

    Returns:
        By upstream, the full names of these methods, among all whose calls or copies go there.
    """
    config = making.config
    found: dict[str, set[str]] = {}
    services = {each.service for each in making.descriptors.values()}
    upstream_of = assign(services, config.upstreams, making.source)
    for name, upstream in config.upstreams.items():
        path, what = _said(name, upstream)
        if what is None or not what.startswith(FIELD):
            continue
        methods = [
            each
            for each in making.descriptors.values()
            if upstream_of.get(each.service) == name or _is_sent(making.settings[each.name], name)
        ]
        without = {
            each.name: failure
            for each in methods
            if (failure := _failure(making, each, what.removeprefix(FIELD))) is not None
        }
        if not without:
            continue
        found[name] = set(without)
        # That streams have no request is no news to who has misspelt a field.
        names = sorted(without, key=lambda each: (without[each] == _OF_STREAMS, each))
        if len(without) < len(methods):
            text = f"without effect on {listed(names)}: {without[names[0]]}"
            making.notes.append(of_key(path, text, making.source))
        else:
            text = f"{without[names[0]]} ({listed(names)})"
            making.problems.append(of_key(path, text, making.source))
    return found


def _is_sent(settings: Settings, upstream: str) -> bool:
    """Whether a policy sends calls of a method, or copies of them, to an upstream."""
    mirror = settings.mirror
    return upstream in settings.upstreams or (mirror is not None and mirror.upstream == upstream)


def _failure(making: Making, method: MethodDescriptor, path: str) -> str | None:
    """Returns why a field can be no key of a method's calls; None where it can."""
    if method.kind is not Kind.UNARY:
        return _OF_STREAMS
    try:
        RequestField(path, making.registry.message(method.input))
    except FieldError as failure:
        return str(failure)
    return None
