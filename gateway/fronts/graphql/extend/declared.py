"""What a module declares: fields of the roots, fields of generated types, types of its own.

Nothing is checked here but that the pieces are Strawberry's: the graph, which knows the names, is
made later (`conversion`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar, overload

import strawberry

from gateway.fronts.graphql.extend.context import Context
from gateway.fronts.graphql.plan.python import BATCH

T = TypeVar("T")

Info = strawberry.Info[Context, None]
"""What resolvers are told of their field; `info.context.gateway` calls services."""


@dataclass(frozen=True, slots=True)
class Generated:
    """A class that stands for a type of the graph that is made of a message.

    Attributes:
        name: The type's name in the graph.
        cls: The class; its Strawberry fields are added to the type.
    """

    name: str
    cls: type


@dataclass(slots=True, eq=False)
class Extensions:
    """What one module adds to the graph. `graphql.extensions` names it as `module:object`.

    Attributes:
        roots: Classes whose fields are added to a root, by the root's name.
        generated_types: Classes that stand for types of the graph.
        types: Types that no field leads to, such as those of an interface.
    """

    roots: dict[str, list[type]] = field(default_factory=dict)
    generated_types: list[Generated] = field(default_factory=list)
    types: list[Any] = field(default_factory=list)

    def query(self, cls: type[T]) -> type[T]:
        """Adds the fields of a class to Query. Decorates a class, a Strawberry type or not yet."""
        return self._root("Query", cls)

    def mutation(self, cls: type[T]) -> type[T]:
        """Adds the fields of a class to Mutation."""
        return self._root("Mutation", cls)

    def subscription(self, cls: type[T]) -> type[T]:
        """Adds the fields of a class to Subscription."""
        return self._root("Subscription", cls)

    @overload
    def generated(self, cls: type[T], /) -> type[T]: ...

    @overload
    def generated(self, *, name: str) -> Callable[[type[T]], type[T]]: ...

    def generated(self, cls: Any = None, *, name: str = "") -> Any:
        """Makes a class stand for the type of the graph that has its name.

        In annotations it is that type: an object, an input, an enum. Its Strawberry fields become
        fields of the type; what else is in it is for type checkers and readers.

        Args:
            cls: The class.
            name: The type's name where the class has another one.
        """

        def stand(cls: type[T]) -> type[T]:
            self.generated_types.append(Generated(name or cls.__name__, cls))
            return cls

        return stand if cls is None else stand(cls)

    def include(self, *types: Any) -> None:
        """Adds types that no field leads to: those that implement an interface."""
        self.types += types

    def _root(self, name: str, cls: type[T]) -> type[T]:
        made: type[T] = cls if hasattr(cls, "__strawberry_definition__") else strawberry.type(cls)
        self.roots.setdefault(name, []).append(made)
        return made


def batch(resolver: Callable[..., Any] | None = None, **options: Any) -> Any:
    """Decorates the resolver of a field for all parents of a level at once.

    It takes the parents in a parameter that is a `strawberry.Parent[list[…]]`, and returns a list
    with the value of each, in their order. The field's type is that of an item. An item may be an
    exception: the field of that parent then fails.

    Args:
        resolver: The resolver.
        options: Those of `strawberry.field`: `name`, `description`, `permission_classes` …
    """
    field: Any = strawberry.field
    return field(resolver, metadata={**options.pop("metadata", {}), BATCH: True}, **options)
