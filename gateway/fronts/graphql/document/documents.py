"""The cache of documents by their text: what is parsed, limited and validated once.

A document that is refused is kept too: a client that sends a bad one sends it again, and to refuse
it costs as much as to accept it. The cache is bounded by entries and by an estimate of its memory;
what was not asked for longest goes first. What is planned for a document goes with it, and counts
as its memory: a few lines can stand for thousands of fields, in a plan for each set of variables
that directives read. The cache belongs to one schema and to one event loop.
"""

from __future__ import annotations

from collections import OrderedDict

from graphql import FragmentDefinitionNode, GraphQLSchema, OperationDefinitionNode

from gateway.fronts.graphql.document.document import Document, Operation
from gateway.fronts.graphql.document.limits import Limits, check
from gateway.fronts.graphql.document.lookups import Lookups
from gateway.fronts.graphql.document.measures import measures, root_fields
from gateway.fronts.graphql.document.parsing import definitions, parse_document
from gateway.fronts.graphql.document.validation import Validator
from gateway.fronts.graphql.errors import RequestError

_BYTES_A_TOKEN = 750
"""Memory of a token with its part of the syntax tree (measured: 350 to 750)."""

_BYTES_A_CHARACTER = 4
"""The most that a character of a Python string takes."""

_BYTES_REFUSED = 16 * 1024
"""More than the errors of a refused document take: 20 of 500 characters."""


class Documents:
    """The documents of one schema.

    Args:
        schema: The graph.
        limits: How much a document may ask.
        introspection: Whether documents may ask for the schema.
        suggestions: Whether errors name what may have been meant.
        max_documents: The most entries.
        max_bytes: The most memory, as estimated from the texts.
        lookups: Where it is counted what was there.

    Attributes:
        lookups: Likewise.
    """

    def __init__(
        self,
        schema: GraphQLSchema,
        limits: Limits,
        *,
        introspection: bool = True,
        suggestions: bool = True,
        max_documents: int = 1000,
        max_bytes: int = 64 * 1024 * 1024,
        lookups: Lookups | None = None,
    ) -> None:
        self.lookups = lookups or Lookups()
        self._schema = schema
        self._limits = limits
        self._validator = Validator(
            schema, limits, introspection=introspection, suggestions=suggestions
        )
        self._max_documents = max_documents
        self._max_bytes = max_bytes
        self._entries: OrderedDict[str, Document | RequestError] = OrderedDict()
        self._weights: dict[str, int] = {}
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def size(self) -> int:
        """The memory of what is kept, as estimated, in bytes."""
        return self._bytes

    @property
    def limits(self) -> Limits:
        """How much a document may ask."""
        return self._limits

    @property
    def suggests(self) -> bool:
        """Whether errors name what may have been meant: those of variables should do the same."""
        return self._validator.suggests

    def get(self, text: str) -> Document:
        """Returns the document of a text.

        Raises:
            RequestError: It is no valid document, or asks for too much. The same text gets the same
                error again.
        """
        entry = self._entries.get(text)
        if entry is None:
            self.lookups.misses += 1
            check(self._limits, "size", len(text))  # nothing is kept of a text that is too long
            entry = self._enter(text)
        else:
            self.lookups.hits += 1
            self._entries.move_to_end(text)
        if isinstance(entry, Document):
            return entry
        raise RequestError(entry.errors)

    def _enter(self, text: str) -> Document | RequestError:
        entry: Document | RequestError
        try:
            entry = self._read(text)
        except RequestError as refused:
            entry = RequestError(refused.errors)  # without the frames that led to it
        self._entries[text] = entry
        self._weights[text] = 0
        self._add(text, _weight(text, entry))
        return entry

    def grown(self, document: Document, size: int) -> None:
        """Takes note that more is kept with a document.

        Args:
            document: A document. One that is not in the cache, or not any more, does not count.
            size: Bytes, roughly.
        """
        if self._entries.get(document.text) is document:
            self._add(document.text, size)

    def _add(self, text: str, size: int) -> None:
        self._weights[text] += size
        self._bytes += size
        while len(self._entries) > self._max_documents or self._bytes > self._max_bytes:
            oldest, _ = self._entries.popitem(last=False)
            self._bytes -= self._weights.pop(oldest)
            self.lookups.evictions += 1

    def _read(self, text: str) -> Document:
        ast = parse_document(text, self._limits)
        nodes, fragments = definitions(ast)
        operations = tuple(self._operations(nodes, fragments))
        self._validator.check(ast)  # there is an operation: fragments alone would be unused ones
        return Document(text, ast, operations, fragments)

    def _operations(
        self,
        nodes: list[OperationDefinitionNode],
        fragments: dict[str, FragmentDefinitionNode],
    ) -> list[Operation]:
        """Returns the operations; refuses those that are over a limit."""
        limits = self._limits
        check(limits, "operations", len(nodes))
        operations = []
        fields = 0
        for node, measure in zip(nodes, measures(nodes, fragments), strict=True):
            roots = {(field.alias or field.name).value for field in root_fields(node, fragments)}
            check(limits, "aliases", measure.aliases, node)
            check(limits, "depth", measure.depth, node)
            check(limits, "introspection_depth", measure.introspection_depth, node)
            check(limits, "introspection_fields", measure.introspection_fields, node)
            check(limits, "root_fields", len(roots), node)
            fields += measure.fields
            check(limits, "fields", fields, node)
            operations.append(Operation(node, measure, self._schema, fragments, limits))
        return operations


def _weight(text: str, entry: Document | RequestError) -> int:
    """Returns the bytes of an entry, roughly: Python has no cheap way to know."""
    kept = len(text) * _BYTES_A_CHARACTER
    return kept + (
        _tokens(entry) * _BYTES_A_TOKEN if isinstance(entry, Document) else _BYTES_REFUSED
    )


def _tokens(document: Document) -> int:
    """Returns the number of tokens of a document, which its syntax tree keeps as a linked list."""
    count = 0
    token = document.ast.loc.start_token if document.ast.loc else None
    while token is not None:
        count += 1
        token = token.next
    return count
