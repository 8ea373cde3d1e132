"""What types are called, and in which module they stand: a module for each package.

A type keeps its proto name, with `_` between those that are in each other; what can't be a name, or
is another type's already, gets a `_` at its end. Names depend on the whole set, not on its order.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator

from google.protobuf.descriptor import Descriptor, EnumDescriptor

from gateway.typescript.roles import Role, Roles
from gateway.typescript.words import RESERVED, camel, free

FROM_JSON = (
    "AnyMessage", "Float", "FromObject", "JsonObject", "JsonValue", "OneOf", "Unrecognized",
)  # fmt: skip
"""The names that modules of types take from `runtime/json.ts`."""

_GLOBAL = ("Partial",)  # what the types use of TypeScript's own
_NO_PACKAGE = "no-package"  # which is the name of none
_INPUT = "Input"


def package_of(type_: Descriptor | EnumDescriptor) -> str:
    """Returns the package that a type is declared in."""
    package: str = type_.file.package
    return package


class Names:
    """Names of all types that can be met.

    Args:
        roles: Which there are.

    Attributes:
        packages: Those that have types, sorted.
    """

    def __init__(self, roles: Roles) -> None:
        self._roles = roles
        types: list[Descriptor | EnumDescriptor] = [
            *roles.messages.values(),
            *roles.enums.values(),
        ]
        self.packages = sorted({package_of(each) for each in types})
        self._aliases: dict[str, str] = {}
        for package in self.packages:
            alias = "".join(each[:1].upper() + each[1:] for each in package.split("."))
            taken = RESERVED | {*self._aliases.values()}
            self._aliases[package] = free(camel(alias) or "root", taken)
        self._names: dict[tuple[str, Role | None], str] = {}
        self._settle(types)

    def _settle(self, types: Iterable[Descriptor | EnumDescriptor]) -> None:
        never = {*RESERVED, *FROM_JSON, *_GLOBAL, *self._aliases.values()}
        taken = {package: set(never) for package in self.packages}
        # Names that nothing need be added to come first: what is made may not take one of them.
        for suffix in ("", _INPUT):
            for type_ in sorted(
                types, key=lambda each: (each.full_name.count("."), each.full_name)
            ):
                for role in self._parts(type_):
                    if self._suffix(type_, role) == suffix:
                        package = package_of(type_)
                        name = type_.full_name.removeprefix(f"{package}.").replace(".", "_")
                        settled = free(name + suffix, taken[package])
                        taken[package].add(settled)
                        self._names[type_.full_name, role] = settled

    def _parts(self, type_: Descriptor | EnumDescriptor) -> Iterator[Role | None]:
        if isinstance(type_, EnumDescriptor):
            yield None
        else:
            yield from self._roles.roles(type_)

    def _suffix(self, type_: Descriptor | EnumDescriptor, role: Role | None) -> str:
        if isinstance(type_, EnumDescriptor) or self._roles.roles(type_)[0] is role:
            return ""
        return _INPUT

    def declared(self, type_: Descriptor | EnumDescriptor, role: Role | None) -> str:
        """Returns the name by which a type is declared; the role is that of a message."""
        if isinstance(type_, Descriptor) and role not in (known := self._roles.roles(type_)):
            role = known[0]
        return self._names[type_.full_name, role]

    def alias(self, package: str) -> str:
        """Returns what other modules call that of a package."""
        return self._aliases[package]

    def referred(
        self, type_: Descriptor | EnumDescriptor, role: Role | None, *, of: str | None = None
    ) -> str:
        """Returns how a type is referred to, in the module of a package or in another one."""
        name, package = self.declared(type_, role), package_of(type_)
        return name if package == of else f"{self._aliases[package]}.{name}"


def module_of(package: str) -> str:
    """Returns the path of the module of a package, without its ending."""
    return f"types/{package.replace('.', '/') or _NO_PACKAGE}"


def specifier(module: str, of: str) -> str:
    """Returns how a module is imported by another one; both are paths without their ending."""
    path = posixpath.relpath(module, posixpath.dirname(of) or ".")
    return f"{path if path.startswith('.') else f'./{path}'}.js"
