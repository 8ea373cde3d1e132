"""What holds for each method: of every setting the last policy that matches and sets it.

A setting is a leaf (`authorize.scopes`, `authorize.when`), so a policy that says who may call
leaves alone what another says of time. What a proto's options say comes before all policies, and so
is overridden by any. Asked after the methods are known, so not part of loading.
"""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from gateway.config.assignment import matches
from gateway.config.models import Policy
from gateway.config.problems import Path, Problem, format_path
from gateway.config.source import Source

Leaf = tuple[str, ...]

AUTHENTICATE: Final[Leaf] = ("authenticate",)
SCOPES: Final[Leaf] = ("authorize", "scopes")
ROLES: Final[Leaf] = ("authorize", "roles")
WHEN: Final[Leaf] = ("authorize", "when")
TIMEOUT: Final[Leaf] = ("timeout",)

_LIKELY: Final = 0.7  # what a name less alike was meant to be is anybody's guess

LEAVES: Final = (AUTHENTICATE, SCOPES, ROLES, WHEN, TIMEOUT)
"""Every setting, in the order in which they are printed."""


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting of a method.

    Attributes:
        value: As the config's model has it.
        place: The line that set it: `gateway.yaml:12:5`, `shop/v1/shop.proto:31`.
        key: The config's key, `policies.0.timeout`; empty in a proto.
    """

    value: object
    place: str
    key: str = ""

    @property
    def where(self) -> str:
        """What set it: `gateway.yaml:12:5 policies.0.timeout`, `shop/v1/shop.proto:31`."""
        return f"{self.place} {self.key}".rstrip()


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings of a method. What nothing set is None or empty."""

    leaves: Mapping[Leaf, Setting]

    @property
    def authenticate(self) -> tuple[str, ...] | None:
        """Providers, and `none`."""
        return self._texts(AUTHENTICATE)

    @property
    def scopes(self) -> tuple[str, ...]:
        """All of these."""
        return self._texts(SCOPES) or ()

    @property
    def roles(self) -> tuple[str, ...]:
        """Any of these."""
        return self._texts(ROLES) or ()

    @property
    def when(self) -> str | None:
        """A condition in CEL."""
        value = self._value(WHEN)
        assert value is None or isinstance(value, str), "as the model has it"
        return value or None

    @property
    def timeout(self) -> float | None:
        """Seconds of a unary call."""
        value = self._value(TIMEOUT)
        assert value is None or isinstance(value, float), "as the model has it"
        return value

    def where(self, leaf: Leaf) -> str | None:
        """Returns what set a setting; None where nothing did."""
        setting = self.leaves.get(leaf)
        return None if setting is None else setting.where

    def mistake(self, leaf: Leaf, message: str) -> str:
        """Returns the line that says what is wrong with a setting, which something set."""
        setting = self.leaves[leaf]
        return f"{setting.place}: {setting.key or '.'.join(leaf)}: {message}"

    def _value(self, leaf: Leaf) -> object:
        setting = self.leaves.get(leaf)
        return None if setting is None else setting.value

    def _texts(self, leaf: Leaf) -> tuple[str, ...] | None:
        value = self._value(leaf)
        assert value is None or isinstance(value, tuple), "as the model has it"
        return value


def effective(
    methods: Iterable[str],
    policies: Sequence[Policy],
    source: Source,
    declared: Mapping[str, Mapping[Leaf, Setting]],
) -> Mapping[str, Settings]:
    """Returns the settings of each method.

    Args:
        methods: Full names, `shop.v1.Catalog/GetProduct`.
        policies: As in the configuration, in its order.
        source: Of the configuration.
        declared: What protos say, by method.
    """
    said = [list(_said(policy, index, source)) for index, policy in enumerate(policies)]
    found = {}
    for method in methods:
        leaves = dict(declared.get(method, {}))
        for policy, settings in zip(policies, said, strict=True):
            if any(matches(pattern, method) for pattern in policy.methods):
                leaves.update(settings)
        found[method] = Settings(leaves)
    return found


def idle_patterns(
    methods: Iterable[str], policies: Sequence[Policy], source: Source
) -> list[Problem]:
    """Returns a problem for each pattern that no method matches: it would protect nothing.

    `*` alone is never one: it means whatever comes.

    Args:
        methods: Full names of all methods that are known, served or not.
        policies: As in the configuration.
        source: Of the configuration.
    """
    if not policies:
        return []
    names = tuple(methods)
    problems = []
    for index, policy in enumerate(policies):
        for number, pattern in enumerate(policy.methods):
            if pattern.strip("*") and not any(matches(pattern, name) for name in names):
                path = ("policies", index, "methods", number)
                place = source.place(path) or source.root.place
                message = f'no method matches "{pattern}"{_hint(pattern, names)}'
                problems.append(Problem.at(place, path, message))
    return problems


def _said(policy: Policy, index: int, source: Source) -> Iterable[tuple[Leaf, Setting]]:
    for leaf in LEAVES:
        value: object = policy
        for name in leaf:
            value = None if value is None else getattr(value, name)
        if value is not None:
            path: Path = ("policies", index, *leaf)
            place = source.place(path) or source.root.place
            yield leaf, Setting(value, str(place), format_path(path))


def _hint(pattern: str, names: Sequence[str]) -> str:
    """Returns what was meant, perhaps: a service's name alone, a method with a leading slash."""
    for other in (f"{pattern}/*", pattern.lstrip("/"), _last_dot_as_slash(pattern)):
        if other != pattern and any(matches(other, name) for name in names):
            return f'; did you mean "{other}"?'
    if near := difflib.get_close_matches(pattern, names, 1, _LIKELY):
        return f'; did you mean "{near[0]}"?'
    return "; expected a method such as shop.v1.Catalog/GetProduct, or a glob"


def _last_dot_as_slash(pattern: str) -> str:
    service, _, method = pattern.rpartition(".")
    return f"{service}/{method}"
