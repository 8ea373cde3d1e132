"""Fields whose values are found by another call, after their parents are known: the edges.

An edge has two halves. `load` is given all parents of one level at once and asks for what their
keys need; `text` writes the field of one parent when the answers are there. What an answer needs
itself (edges of the joined object) is loaded as soon as all answers of the edge are there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, Protocol

from google.protobuf.descriptor import FieldDescriptor

from gateway.call import RpcError
from gateway.chain import Method
from gateway.fronts.graphql.execute.loading import Loader
from gateway.fronts.graphql.execute.trouble import Null, Place, Text, Trouble, forget, within
from gateway.fronts.graphql.plan.finding import Finder
from gateway.fronts.graphql.plan.request import MakeRequest
from gateway.fronts.graphql.plan.writing import InputError


class Selected(Protocol):
    """What is asked of an object, as far as an edge needs it (`objects.ObjectPlan`)."""

    @property
    def text(self) -> Text:
        """Writes one object."""

    @property
    def deep(self) -> bool:
        """Whether there is anything to gather."""

    def gather(self, parents: Sequence[Any], run: Any) -> None:
        """Loads the edges of objects, and of those below them."""


class Edge(Protocol):
    """A field that is found by another call."""

    def load(self, parents: Sequence[Any], run: Any) -> None:
        """Asks for what the parents' fields need."""

    def text(self, parent: Any, run: Any) -> str:
        """Returns the JSON of a parent's field. Raises Null."""


@dataclass(frozen=True, slots=True, eq=False)
class JoinEdge:
    """A field found by a key of its parent (`@join`), or by what else it has (`@call`).

    Attributes:
        index: The edge's number in the plan.
        place: Where the field is.
        finder: How answers are found.
        method: What is called.
        request: The request less its keys.
        key_of: Reads the key of a parent: None where there is none; a list where `listed`.
        selected: What is asked of an answer.
        listed: The parent has a list of keys, and the field one item for each.
        many: The field is the list of all answers of its key.
        loose: Items may be null, where the field is all answers of its key.
        placed: What `selected` writes names the field in paths itself.
        plain: The field that alone is the key, where that is so.
    """

    index: int
    place: Place
    finder: Finder
    method: Method
    request: MakeRequest
    key_of: Callable[[Any], Any]
    selected: Selected
    listed: bool = False
    many: bool = False
    loose: bool = True
    placed: bool = False
    plain: FieldDescriptor | None = None

    def load(self, parents: Sequence[Any], run: Any) -> None:
        """Asks for the keys of all parents."""
        key_of = self.key_of
        if self.listed:
            keys = [key for parent in parents for key in key_of(parent)]
        elif self.plain is not None:
            keys = list(filter(None, map(attrgetter(self.plain.name), parents)))
        else:
            keys = [key for parent in parents if (key := key_of(parent)) is not None]
        if not keys:
            return
        try:
            base = self.request(run.variables)
        except InputError as wrong:
            run.sources[self.index] = wrong
            return
        loader: Loader = run.loader(self.finder, self.method, base)
        run.sources[self.index] = loader
        loader.want(keys, lambda: self._follow(keys, loader, run))

    def _follow(self, keys: Sequence[Any], loader: Loader, run: Any) -> None:
        """Loads what the answers need."""
        if not self.selected.deep:
            return
        answers = loader.answers
        below: list[Any] = []
        for key in dict.fromkeys(keys):
            found = answers[key]
            if not isinstance(found, RpcError):
                below += found if self.many else found[:1]
        if below:
            self.selected.gather(below, run)

    def text(self, parent: Any, run: Any) -> str:
        """Returns the JSON of the field."""
        key = self.key_of(parent)
        if self.listed:
            return self._list(key, run)
        if key is None:
            return "[]" if self.many else "null"
        known: dict[Any, str] = run.texts[self.index]
        text = known.get(key)
        if text is None:
            errors = run.errors
            before = len(errors)
            text = self._written(key, run)
            if len(errors) == before:
                known[key] = text
            elif not self.placed:
                within(errors, before, self.place.key)
        return text

    def _list(self, keys: Sequence[Any], run: Any) -> str:
        """Returns the JSON of a list in the order of its keys; its items may be null."""
        errors = run.errors
        start = len(errors)
        items = []
        for index, key in enumerate(keys):
            before = len(errors)
            text = self._written(key, run)
            if len(errors) > before:
                within(errors, before, index)
            items.append(text)
        within(errors, start, self.place.key)
        return f"[{','.join(items)}]"

    def _written(self, key: Any, run: Any) -> str:
        """Returns the JSON of what belongs to a key; the paths of its troubles begin below it."""
        source = run.sources[self.index]
        found = source if isinstance(source, InputError) else source.answers[key]
        if isinstance(found, RpcError | InputError):
            run.errors.append(Trouble(found, [], self.place.nodes))
            if self.placed:
                within(run.errors, len(run.errors) - 1, self.place.key)
            return "null"
        if self.many:
            return self._all(found, run)
        if not found:
            return "null"
        errors: list[Any] = run.errors
        before = len(errors)
        try:
            return self.selected.text(found[0], run)
        except Null:
            forget(errors, before)
            return "null"

    def _all(self, found: Sequence[Any], run: Any) -> str:
        text, errors = self.selected.text, run.errors
        start = len(errors)
        items = []
        for index, item in enumerate(found):
            before = len(errors)
            try:
                items.append(text(item, run))
            except Null:
                forget(errors, before)
                items.append("null")
            if len(errors) > before:
                within(errors, before, index)
                if items[-1] == "null" and not self.loose:
                    forget(errors, start)
                    return "null"
        return f"[{','.join(items)}]"
