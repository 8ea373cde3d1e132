"""What holds for each method: of every setting the last policy that matches and sets it.

A setting is a leaf (`authorize.scopes`, `authorize.when`), so a policy that says who may call
leaves alone what another says of time. A rate limit is a leaf by its name. What a proto's options
say comes before all policies, and so is overridden by any. Asked after the methods are known, so
not part of loading.
"""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from gateway.config.assignment import matches
from gateway.config.models import Policy, RateLimit
from gateway.config.models.shaping import Deprecated, Faults, Mirror, Route, Split
from gateway.config.problems import Path, Problem, format_path
from gateway.config.source import Source

Leaf = tuple[str, ...]

AUTHENTICATE: Final[Leaf] = ("authenticate",)
SCOPES: Final[Leaf] = ("authorize", "scopes")
ROLES: Final[Leaf] = ("authorize", "roles")
WHEN: Final[Leaf] = ("authorize", "when")
TIMEOUT: Final[Leaf] = ("timeout",)
RATE_LIMITS: Final = "rate_limits"
"""The first part of the leaves of rate limits; the second is a limit's name."""
CONCURRENCY: Final[Leaf] = ("concurrency",)
CONCURRENCY_PER_PRINCIPAL: Final[Leaf] = ("concurrency_per_principal",)
TTL: Final[Leaf] = ("cache", "ttl")
VARY: Final[Leaf] = ("cache", "vary")
STALE_WHILE_REVALIDATE: Final[Leaf] = ("cache", "stale_while_revalidate")
STALE_IF_ERROR: Final[Leaf] = ("cache", "stale_if_error")
NEGATIVE_TTL: Final[Leaf] = ("cache", "negative_ttl")
SHARED: Final[Leaf] = ("cache", "shared")
TAGS: Final[Leaf] = ("cache", "tags")
COALESCE: Final[Leaf] = ("coalesce",)
VALIDATE: Final[Leaf] = ("validate",)
IDEMPOTENT: Final[Leaf] = ("idempotent",)
PRIORITY: Final[Leaf] = ("priority",)
ROUTE: Final[Leaf] = ("route",)
SPLIT: Final[Leaf] = ("split",)
MIRROR: Final[Leaf] = ("mirror",)
DEPRECATED: Final[Leaf] = ("deprecated",)
FAULTS: Final[Leaf] = ("faults",)

_LIKELY: Final = 0.7  # what a name less alike was meant to be is anybody's guess

CACHE: Final = (TTL, VARY, STALE_WHILE_REVALIDATE, STALE_IF_ERROR, NEGATIVE_TTL, SHARED, TAGS)
LEAVES: Final = (
    *(AUTHENTICATE, SCOPES, ROLES, WHEN, TIMEOUT),
    *(CONCURRENCY, CONCURRENCY_PER_PRINCIPAL, PRIORITY, VALIDATE),
    IDEMPOTENT,
    *(*CACHE, COALESCE),
    *(ROUTE, SPLIT, MIRROR, DEPRECATED, FAULTS),
)
"""Every setting but rate limits, in the order in which they are printed."""


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
        return self._seconds(TIMEOUT)

    @property
    def rate_limits(self) -> Mapping[str, RateLimit]:
        """Limits by name, also those that are unlimited, in the order in which they were named."""
        found = {}
        for leaf, setting in self.leaves.items():
            if leaf[0] == RATE_LIMITS:
                assert isinstance(setting.value, RateLimit), "as the model has it"
                found[leaf[1]] = setting.value
        return found

    @property
    def concurrency(self) -> int | None:
        """Calls of the method at a time."""
        return self._whole(CONCURRENCY)

    @property
    def concurrency_per_principal(self) -> int | None:
        """Calls of the method at a time, of one caller."""
        return self._whole(CONCURRENCY_PER_PRINCIPAL)

    @property
    def priority(self) -> str:
        """`high`, `normal` or `low`."""
        value = self._value(PRIORITY)
        assert value is None or isinstance(value, str), "as the model has it"
        return value or "normal"

    @property
    def validate(self) -> bool:
        """Whether requests are checked against the rules in their protos."""
        return self._value(VALIDATE) is True

    @property
    def idempotent(self) -> bool | None:
        """Whether a call may be made twice; None where only the proto says."""
        value = self._value(IDEMPOTENT)
        assert value is None or isinstance(value, bool), "as the model has it"
        return value

    @property
    def coalesce(self) -> bool:
        """Whether equal calls in flight are made once, whether or not replies are kept."""
        return self._value(COALESCE) is True

    @property
    def cached(self) -> bool:
        """Whether replies are kept."""
        return self.ttl != 0 and any(leaf in self.leaves for leaf in CACHE)

    @property
    def ttl(self) -> float | None:
        """Seconds for which replies are kept where the backend does not say; 0 keeps none."""
        return self._seconds(TTL)

    @property
    def vary(self) -> tuple[str, ...]:
        """Headers of clients that make another entry."""
        return self._texts(VARY) or ()

    @property
    def stale_while_revalidate(self) -> float:
        """Seconds for which a stale reply may be used while a new one is fetched."""
        return self._seconds(STALE_WHILE_REVALIDATE) or 0.0

    @property
    def stale_if_error(self) -> float:
        """Seconds for which a stale reply is used where the backend fails."""
        return self._seconds(STALE_IF_ERROR) or 0.0

    @property
    def negative_ttl(self) -> float:
        """Seconds for which NOT_FOUND is kept."""
        return self._seconds(NEGATIVE_TTL) or 0.0

    @property
    def shared(self) -> bool:
        """Whether all principals have one entry."""
        return self._value(SHARED) is True

    @property
    def tags(self) -> tuple[str, ...]:
        """Templates of tags, `product:{id}`."""
        return self._texts(TAGS) or ()

    @property
    def route(self) -> tuple[Route, ...]:
        """Which calls go to other upstreams: the first that fits."""
        value = self._value(ROUTE) or ()
        assert isinstance(value, tuple), "as the model has it"
        return value

    @property
    def split(self) -> tuple[Split, ...]:
        """Other upstreams' shares of the calls that no route fits."""
        value = self._value(SPLIT) or ()
        assert isinstance(value, tuple), "as the model has it"
        return value

    @property
    def mirror(self) -> Mirror | None:
        """Where copies of calls go; None for nowhere."""
        value = self._value(MIRROR)
        assert value is None or isinstance(value, Mirror), "as the model has it"
        return value if value is not None and value.percent else None

    @property
    def deprecated(self) -> Deprecated | None:
        """Since when, and until when it is there; None where it stays."""
        value = self._value(DEPRECATED)
        assert value is None or isinstance(value, Deprecated), "as the model has it"
        return value

    @property
    def faults(self) -> Faults | None:
        """How calls fail on purpose; None where they don't."""
        value = self._value(FAULTS)
        assert value is None or isinstance(value, Faults), "as the model has it"
        return value if value is not None and value.percent else None

    @property
    def upstreams(self) -> tuple[str, ...]:
        """The upstreams that calls may go to, beside the service's own, each once."""
        routes = [each.upstream for each in self.route]
        shares = [each.upstream for each in self.split if each.percent]
        return tuple(dict.fromkeys([*routes, *shares]))

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

    def _seconds(self, leaf: Leaf) -> float | None:
        value = self._value(leaf)
        assert value is None or isinstance(value, float), "as the model has it"
        return value

    def _whole(self, leaf: Leaf) -> int | None:
        value = self._value(leaf)
        assert value is None or isinstance(value, int), "as the model has it"
        return value

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
    for number, limit in enumerate(policy.rate_limits):
        at: Path = ("policies", index, RATE_LIMITS, number)
        place = source.place(at) or source.root.place
        yield (RATE_LIMITS, limit.name), Setting(limit, str(place), format_path(at))


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
