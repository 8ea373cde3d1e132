"""Reads YAML text into a tree of places, within limits, and resolves `${NAME}` on the way.

Scalars follow the core schema of YAML 1.2, not 1.1: `on`, `no` and `2027-06-30` are texts. Only
plain data is accepted: no tags, no merge keys. It knows no keys of the configuration.
"""

import re
from collections.abc import Callable, Mapping

from yaml.composer import Composer, ComposerError
from yaml.error import Mark, MarkedYAMLError
from yaml.nodes import MappingNode, ScalarNode, SequenceNode
from yaml.nodes import Node as YamlNode
from yaml.parser import Parser
from yaml.reader import Reader, ReaderError
from yaml.resolver import BaseResolver
from yaml.scanner import Scanner

from gateway.config.problems import Path, Place, Problem
from gateway.config.substitution import Substituted, SubstitutionError, substitute
from gateway.config.tree import Node, Scalar

MAX_SIZE = 4 * 1024**2
MAX_DEPTH = 64
MAX_NODES = 100_000

_TAG = "tag:yaml.org,2002:"
_SURROGATE = re.compile("[\ud800-\udfff]")
# what PyYAML says, and what a person can do about it
_ADVICE = {
    "mapping values are not allowed": 'unexpected ":"; quote the text, or check the indentation',
    "found character '\\t'": "a tab; indent with spaces",
    "expected <block end>": "wrong indentation: this does not belong to what stands above",
    "could not find expected ':'": 'expected ":" after the key',
    "found undefined alias": "an alias (*name) without an anchor (&name) before it",
    "expected alphabetic or numeric": "a text that begins with * or & must be quoted",
    "found duplicate anchor": "an anchor (&name) given twice",
    "but found another document": "a second document (---); one is expected",
    "found unexpected end of stream": "the end of the file inside quotes or brackets",
    "expected ',' or ']'": 'expected "," or "]" in the list',
    "expected ',' or '}'": 'expected "," or "}" in the mapping',
}


class DocumentError(Exception):
    """Text that is not YAML, or is too large; the rest of it cannot be read.

    Attributes:
        line: From 1.
        column: From 1.
    """

    def __init__(self, message: str, line: int = 1, column: int = 1) -> None:
        super().__init__(message)
        self.line = line
        self.column = column


class _Resolver(BaseResolver):
    """The core schema of YAML 1.2.2, 10.3.2, without octal, hexadecimal, infinity and NaN."""


for _name, _pattern, _first in (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("int", r"[-+]?[0-9]{1,18}", "-+0123456789"),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", "-+.0123456789"),
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
):
    _Resolver.add_implicit_resolver(
        _TAG + _name, re.compile(rf"(?:{_pattern})\Z", re.ASCII), list(_first)
    )


class _Composer(Reader, Scanner, Parser, Composer, _Resolver):
    """PyYAML up to the node graph, no further: nothing is constructed."""

    def __init__(self, text: str) -> None:
        Reader.__init__(self, text)
        Scanner.__init__(self)
        Parser.__init__(self)
        Composer.__init__(self)
        _Resolver.__init__(self)
        self._depth = 0

    def compose_node(self, parent: YamlNode | None, index: int) -> YamlNode | None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]  # untyped in the stubs
            raise ComposerError(None, None, f"nested deeper than {MAX_DEPTH} levels", mark)
        node: YamlNode | None = Composer.compose_node(self, parent, index)
        self._depth -= 1
        return node


def compose(text: str) -> YamlNode | None:
    """The node graph of one YAML document; None where it is empty.

    Raises:
        DocumentError: Where the text is not one YAML document within the limits.
    """
    if len(text) > MAX_SIZE:
        raise DocumentError(f"larger than {MAX_SIZE} characters")
    try:
        node: YamlNode | None = _Composer(text).get_single_node()
    except ReaderError as error:
        before = text[: error.position]
        column = error.position - before.rfind("\n")
        message = f"the character U+{error.character:04X} is not allowed"
        raise DocumentError(message, before.count("\n") + 1, column) from error
    except MarkedYAMLError as error:
        raise _document_error(error) from error
    except (ValueError, OverflowError) as error:  # PyYAML on \U00110000 and %YAML 1.<5000 digits>
        raise DocumentError("a number out of range in an escape or a directive") from error
    return node


def _document_error(error: MarkedYAMLError) -> DocumentError:
    problem = error.problem or error.context or "it cannot be parsed"
    advice = next((text for part, text in _ADVICE.items() if part in problem), problem)
    mark: Mark | None = error.problem_mark or error.context_mark
    if mark is None:
        return DocumentError(f"not YAML: {advice}")
    return DocumentError(f"not YAML: {advice}", mark.line + 1, mark.column + 1)


def _refuse_tag(_text: str) -> Scalar:
    raise ValueError


_NO_TAGS = "a tag (!name) is not allowed"
_SCALARS: Mapping[str, Callable[[str], Scalar]] = {
    "bool": lambda text: text.lower() == "true",
    "int": int,
    "float": float,
    "null": lambda _: None,
    "str": str,
}


class Builder:
    """Makes the tree out of a node graph, and collects what is wrong with its values.

    Args:
        file: What places are said to be in.
        environ: Where `${NAME}` is looked up.
        lines: Whether places have lines; an override's value has none.

    Attributes:
        problems: Duplicate keys, unset variables, tags. The values they stand at are left out, or
            are empty texts.
    """

    def __init__(self, file: str, environ: Mapping[str, str], *, lines: bool = True) -> None:
        self.problems: list[Problem] = []
        self._file = file
        self._environ = environ
        self._lines = lines
        self._count = 0

    def build(self, node: YamlNode | None, path: Path = ()) -> Node:
        """The tree of a whole document; an empty one is an empty mapping.

        Raises:
            DocumentError: Where aliases make it too deep or too large.
        """
        if node is None:
            start = Place(self._file, 1, 1) if self._lines else Place(self._file)
            return Node({}, start, start)
        return self._node(node, path, self._place(node), 1)

    def _place(self, node: YamlNode) -> Place:
        mark = node.start_mark
        if not self._lines:
            return Place(self._file)
        return Place(self._file, mark.line + 1, mark.column + 1)

    def _node(self, node: YamlNode, path: Path, key: Place, depth: int) -> Node:
        self._count += 1
        if depth > MAX_DEPTH or self._count > MAX_NODES:
            limit = f"{MAX_DEPTH} levels" if depth > MAX_DEPTH else f"{MAX_NODES} values"
            mark = node.start_mark
            message = f"more than {limit} with aliases (*name) replaced"
            raise DocumentError(message, mark.line + 1, mark.column + 1)
        place = self._place(node)
        match node:
            case MappingNode():
                self._plain_tag(node, "map", place, path)
                return Node(self._mapping(node, path, depth), place, key)
            case SequenceNode():
                self._plain_tag(node, "seq", place, path)
                items = [
                    self._node(item, (*path, index), self._place(item), depth + 1)
                    for index, item in enumerate(node.value)
                ]
                return Node(items, place, key)
            case _:
                return Node(self._scalar(node, place, path), place, key)

    def _plain_tag(self, node: YamlNode, kind: str, place: Place, path: Path) -> None:
        if node.tag != _TAG + kind:
            self.problems.append(Problem.at(place, path, _NO_TAGS))

    def _mapping(self, mapping: MappingNode, path: Path, depth: int) -> dict[str, Node]:
        children: dict[str, Node] = {}
        for key, value in mapping.value:
            place = self._place(key)
            if not isinstance(key, ScalarNode):
                message = "a list or mapping as a key; expected a name"
                self.problems.append(Problem.at(place, path, message))
                continue
            name = str(key.value)
            here = (*path, name)
            if _SURROGATE.search(name):
                self.problems.append(Problem.at(place, path, "a key with half a character in it"))
            elif name in children:
                message = f"set twice; first at {children[name].key}"
                self.problems.append(Problem.at(place, here, message))
            else:
                children[name] = self._node(value, here, place, depth + 1)
        return children

    def _scalar(self, node: YamlNode, place: Place, path: Path) -> Scalar:
        read = _SCALARS.get(node.tag.removeprefix(_TAG), _refuse_tag)
        try:
            value = read(str(node.value))
            return self._text(value) if isinstance(value, str) else value
        except SubstitutionError as error:
            self.problems.append(Problem.at(place, path, str(error)))
        except ValueError:  # a tag of its own, or a number's before another text
            self.problems.append(Problem.at(place, path, _NO_TAGS))
        return Substituted("")

    def _text(self, text: str) -> str:
        result = substitute(text, self._environ)
        if _SURROGATE.search(result):
            raise SubstitutionError("half a character (a surrogate) in the text")
        return result
