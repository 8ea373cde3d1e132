"""The modules of types: one for each package, with what they import."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from google.protobuf.descriptor import Descriptor, EnumDescriptor

from gateway.typescript.names import FROM_JSON, Names, module_of, package_of, specifier
from gateway.typescript.roles import Roles
from gateway.typescript.types import Types

_QUALIFIER = re.compile(r"(?<![\w.$])([\w$]+)\.")
_WORD = re.compile(r"[\w$]+")
_COMMENT = re.compile(r"/\*\*.*?\*/", re.DOTALL)


def modules(roles: Roles, names: Names, types: Types) -> Iterator[tuple[str, str]]:
    """Yields the path of each module, without its ending, and its text."""
    by_package: dict[str, list[Descriptor | EnumDescriptor]] = {}
    met: list[Descriptor | EnumDescriptor] = [*roles.enums.values(), *roles.messages.values()]
    for each in met:
        by_package.setdefault(package_of(each), []).append(each)
    for package in names.packages:
        declared = by_package[package]
        declared.sort(key=lambda each: (each.file.name, each.full_name))
        texts = [text for each in declared for text in _declarations(each, roles, types, package)]
        path, text = module_of(package), "\n".join(texts)
        others = [each for each in names.packages if each != package]
        lines = [*json_imports(text, path), *type_imports(text, others, names, path)]
        yield path, "".join(f"{line}\n" for line in lines) + ("\n" if lines else "") + text


def _declarations(
    type_: Descriptor | EnumDescriptor, roles: Roles, types: Types, package: str
) -> Iterator[str]:
    if isinstance(type_, EnumDescriptor):
        yield types.enum(type_)
    else:
        for role in roles.roles(type_):
            yield types.declaration(type_, role, package)


def json_imports(text: str, path: str) -> Iterator[str]:
    """Yields the import of what a text uses of `runtime/json.ts`, in the module at a path."""
    return used_imports(text, specifier("runtime/json", path), types=FROM_JSON)


def used_imports(
    text: str, source: str, *, types: Sequence[str], values: Sequence[str] = ()
) -> Iterator[str]:
    """Yields the import of those of some names that a text uses; none where it uses none.

    Args:
        text: The text of the module.
        source: What is imported from, as the module names it.
        types: The names of types.
        values: The names of what is there at run time too.
    """
    words = {*_WORD.findall(_COMMENT.sub("", text))}
    used_types = [each for each in types if each in words]
    used_values = [each for each in values if each in words]
    if used_values:
        names = [*used_values, *(f"type {each}" for each in used_types)]
        yield f'import {{ {", ".join(names)} }} from "{source}";'
    elif used_types:
        yield f'import type {{ {", ".join(used_types)} }} from "{source}";'


def type_imports(text: str, packages: Iterable[str], names: Names, path: str) -> Iterator[str]:
    """Yields the imports of modules of types that a text uses, in the module at a path."""
    used = {*_QUALIFIER.findall(_COMMENT.sub("", text))}
    for package in packages:
        alias = names.alias(package)
        if alias in used:
            yield f'import type * as {alias} from "{specifier(module_of(package), path)}";'
