"""Words of TypeScript: which names can stand where, and how texts and comments are written."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable

# ECMAScript 2024, 12.7.2 (reserved words, strict mode), and the types that TypeScript has itself.
RESERVED = frozenset({
    "any", "arguments", "as", "asserts", "async", "await", "bigint", "boolean", "break", "case",
    "catch", "class", "const", "continue", "debugger", "declare", "default", "delete", "do", "else",
    "enum", "eval", "export", "extends", "false", "finally", "for", "from", "function", "get", "if",
    "implements", "import", "in", "infer", "instanceof", "interface", "intrinsic", "is", "keyof",
    "let", "module", "namespace", "never", "new", "null", "number", "object", "of", "package",
    "private", "protected", "public", "readonly", "require", "return", "set", "static", "string",
    "super", "switch", "symbol", "this", "throw", "true", "try", "type", "typeof", "undefined",
    "unique", "unknown", "var", "void", "while", "with", "yield",
})  # fmt: skip

# What every object has: to TypeScript `{}` is none whose optional `constructor` is a text.
INHERITED = frozenset({
    "constructor", "hasOwnProperty", "isPrototypeOf", "propertyIsEnumerable", "toLocaleString",
    "toString", "valueOf",
})  # fmt: skip

_NAME = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*")


def quoted(text: str) -> str:
    """Returns a text as a literal, ASCII only."""
    return json.dumps(text)


def member(name: str) -> str:
    """Returns a name as that of a property."""
    return name if _NAME.fullmatch(name) and name != "__proto__" else f"[{quoted(name)}]"


def optional(name: str, type_: str) -> str:
    """Returns a property that may be left out: then it is what all objects have by its name."""
    inherited = f" | FromObject<{quoted(name)}>" if name in INHERITED else ""
    return f"{member(name)}?: {type_}{inherited};"


def camel(name: str) -> str:
    """Returns a name in Pascal's case as one in camel's: `getProduct`, `httpCheck` of HTTPCheck."""
    start = re.match(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]+(?![a-z])|[A-Z]", name)
    return name if start is None else start[0].lower() + name[start.end() :]


def pascal(name: str) -> str:
    """Returns a name in snake's or camel's case as one in Pascal's."""
    return "".join(part[:1].upper() + part[1:] for part in name.split("_"))


def free(name: str, taken: Collection[str]) -> str:
    """Returns a name that is not taken, the given one if it can be."""
    while name in taken:
        name += "_"
    return name


def tsdoc(text: str, *, deprecated: bool = False, indent: str = "") -> str:
    """Returns a comment with the line's end after it; empty where there is nothing to say."""
    lines = [line.rstrip() for line in text.replace("*/", "*\\/").splitlines()]
    if deprecated:
        lines += ["", "@deprecated"] if lines else ["@deprecated"]
    if not lines:
        return ""
    if len(lines) == 1:
        return f"{indent}/** {lines[0]} */\n"
    body = "".join(f"{indent} * {line}".rstrip() + "\n" for line in lines)
    return f"{indent}/**\n{body}{indent} */\n"


def paragraphs(parts: Iterable[str]) -> str:
    """Returns texts with an empty line between, those that are empty left out."""
    return "\n\n".join(part for part in parts if part)
