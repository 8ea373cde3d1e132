"""Names of the graph: what each thing would like to be called, and who gets it when several ask.

`settle` decides by the whole set, never by order: of things that would get one name, all take their
next choice. Choices of types begin with the bare name, go on with more and more of the package in
front (`CatalogV2Product`), and end with one that nobody else can have. It knows no descriptors.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from enum import Enum
from typing import Generic, NamedTuple, TypeVar

_NAME = re.compile(r"(?!__)[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_VERSION = re.compile(r"v[0-9]+(?:p[0-9]+)?(?:(?:alpha|beta)[0-9]*)?", re.ASCII)
NOT_ENUM_VALUES = frozenset(("true", "false", "null"))

Key = TypeVar("Key", bound=Hashable)


class Role(Enum):
    """What a type of the graph is made as; the value ends its last choice of a name."""

    OBJECT = "Message"
    INPUT = "MessageInput"
    ENUM = "Enum"
    UNION = "Union"
    CASE = "Case"
    ONE_OF = "OneofInput"
    QUERIES = "Queries"
    MUTATIONS = "Mutations"


_SUFFIXES = {
    Role.INPUT: "Input",
    Role.ONE_OF: "Input",
    Role.QUERIES: "Query",
    Role.MUTATIONS: "Mutation",
}


class Unit(NamedTuple):
    """Something that becomes a type.

    Attributes:
        role: What it becomes. One message may become an object and an input.
        full_name: Of its descriptor, with the oneof before the case: `shop.v1.Product.delivery`.
        package: The package that the full name begins with, or empty.
    """

    role: Role
    full_name: str
    package: str


def is_name(text: str) -> bool:
    """Whether a text can be the name of a type, a field or an argument (GraphQL, 2.1.9 and 3)."""
    return _NAME.fullmatch(text) is not None


def pascal(name: str) -> str:
    """Returns a proto name in Pascal case: `order_item` is `OrderItem`, `Order.Item` too.

    A name that would begin with a digit keeps an underscore before it.
    """
    joined = "".join(part[:1].upper() + part[1:] for part in re.split("[_.]", name))
    return joined if joined and not joined[0].isdigit() else f"_{joined}"


def camel(name: str) -> str:
    """Returns a proto name in lower camel case: `GetProduct` is `getProduct`, `page_size` pageSize.

    Of capitals at the start all but the last before a small letter become small: `HTTPRule` is
    `httpRule`.
    """
    joined = pascal(name)
    start = re.match(r"[A-Z]+(?![a-z])|[A-Z]", joined)
    return joined if start is None else start[0].lower() + joined[start.end() :]


def escaped(full_name: str) -> str:
    """Returns a full name as a GraphQL name that no other full name becomes.

    A dot becomes `_`, an underscore `_0`: no part of a full name begins with a digit.
    """
    return full_name.replace("_", "_0").replace(".", "_")


def package_prefixes(package: str) -> list[str]:
    """Returns the ends of a package in Pascal case, the shortest first.

    A version says nothing alone: `shop.catalog.v2` is `CatalogV2`, `ShopCatalogV2`.
    """
    parts = package.split(".") if package else []
    return [
        "".join(map(pascal, parts[start:]))
        for start in range(len(parts) - 1, -1, -1)
        if start == 0 or not _VERSION.fullmatch(parts[start])
    ]


def type_choices(unit: Unit) -> tuple[str, ...]:
    """Returns what a type may be called, best first. The last choice is nobody else's."""
    local = unit.full_name[len(unit.package) + 1 :] if unit.package else unit.full_name
    name, suffix = pascal(local), _SUFFIXES.get(unit.role, "")
    prefixes = package_prefixes(unit.package)
    widest = prefixes[-1] if prefixes else ""
    nested = local.replace(".", "_")  # all that tells `Outer.Inner` from `OuterInner`
    return (
        name + suffix,
        *(pascal(f"{prefix}_{name}") + suffix for prefix in prefixes),
        *([nested + suffix] if is_name(nested) else []),
        pascal(f"{name}_{unit.role.value}"),
        pascal(f"{widest}_{name}_{unit.role.value}"),
        f"{escaped(unit.full_name)}__{unit.role.value}",
    )


def method_choices(service: str, package: str, method: str) -> tuple[str, ...]:
    """Returns what a root field may be called, best first. The last choice is nobody else's.

    Args:
        service: The service's full name.
        package: The package that it begins with, or empty.
        method: The method's name.
    """
    name = pascal(method)
    local = pascal(service[len(package) + 1 :] if package else service)
    prefixes = package_prefixes(package)
    return (
        camel(method),
        *(camel(prefix + name) for prefix in prefixes),
        camel(local + name),
        *(camel(prefix + local + name) for prefix in prefixes),
        escaped(f"{service}.{method}"),
    )


def group_choices(service: str, package: str) -> tuple[str, ...]:
    """Returns what the field of a service may be called, best first: `catalogService`."""
    local = pascal(service[len(package) + 1 :] if package else service)
    prefixes = ("", *package_prefixes(package))
    return (*(camel(prefix + local) for prefix in prefixes), escaped(service))


def field_choices(name: str, json_name: str) -> tuple[str, ...]:
    """Returns what a field of a message may be called, best first.

    Its JSON name, so that REST and GraphQL say the same; where that is no GraphQL name, the proto's
    in lower camel case. Then the proto's own, which is all that tells `some_name` from `someName`;
    then that with an underscore at its end.
    """
    wanted = (json_name if is_name(json_name) else camel(name), name, f"{escaped(name)}_")
    return tuple(each for each in wanted if is_name(each))


def value_choices(name: str) -> tuple[str, ...]:
    """Returns what a value of an enum may be called, best first: the proto's name."""
    wanted = (name, f"{name.lstrip('_')}_", f"{escaped(name)}_")
    return tuple(each for each in wanted if is_name(each) and each not in NOT_ENUM_VALUES)


class Clash(NamedTuple, Generic[Key]):
    """A name that several would get, who they are, in order, and whether it was taken before."""

    name: str
    keys: tuple[Key, ...]
    taken: bool


class Settled(NamedTuple, Generic[Key]):
    """Names of all, and what clashed.

    Attributes:
        names: The name of each.
        clashes: What was settled, in the order of names.
        unsettled: Clashes of those that have no further choice: their names are not valid.
    """

    names: Mapping[Key, str]
    clashes: tuple[Clash[Key], ...]
    unsettled: tuple[Clash[Key], ...]


def settle(choices: Mapping[Key, Sequence[str]], taken: Collection[str] = ()) -> Settled[Key]:
    """Gives everyone a name of its own.

    All that would get one name take their next choice, again and again: so the result depends on
    the set only. It takes as many rounds at most as there are choices in all, and one in practice.

    Args:
        choices: What each may be called, best first, at least one.
        taken: Names that nobody may have.
    """
    turn = dict.fromkeys(choices, 0)
    clashes: dict[tuple[Key, ...], Clash[Key]] = {}  # the first of each circle, which tells enough
    while True:
        askers: dict[str, list[Key]] = defaultdict(list)
        for key, level in turn.items():
            askers[choices[key][level]].append(key)
        rivals = {n: keys for n, keys in askers.items() if len(keys) > 1 or n in taken}
        moving = [
            key for keys in rivals.values() for key in keys if turn[key] + 1 < len(choices[key])
        ]
        for name, keys in rivals.items():
            clash = Clash(name, _in_order(keys), name in taken)
            clashes.setdefault(clash.keys, clash)
        if not moving:
            names = {key: choices[key][level] for key, level in turn.items()}
            stuck = tuple(
                Clash(name, _in_order(keys), name in taken) for name, keys in rivals.items()
            )
            told = sorted(clashes.values(), key=lambda each: (each.name, str(each.keys)))
            return Settled(names, tuple(told), tuple(sorted(stuck, key=lambda each: each.name)))
        for key in moving:
            turn[key] += 1


def _in_order(keys: Iterable[Key]) -> tuple[Key, ...]:
    return tuple(sorted(keys, key=str))
