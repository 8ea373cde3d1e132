"""What is known of a valid document, and the choice of the operation that is run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256

from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
)

from gateway.fronts.graphql.document.cost import Cost, Estimate
from gateway.fronts.graphql.document.limits import Limits, check
from gateway.fronts.graphql.document.measures import Measure
from gateway.fronts.graphql.document.pricing import steps
from gateway.fronts.graphql.document.sizes import Variables
from gateway.fronts.graphql.errors import RefusalCode, refusal


@dataclass(slots=True, eq=False)
class Operation:
    """One operation of a valid document.

    Attributes:
        node: Its syntax.
        measure: Its size, fragments written out.
        plan: A memo slot for what is planned for it, so that it is made once and goes with the
            document.
    """

    node: OperationDefinitionNode
    measure: Measure
    _schema: GraphQLSchema
    _fragments: Mapping[str, FragmentDefinitionNode]
    _limits: Limits
    plan: object | None = None
    _cost: Cost | None = field(default=None, init=False)

    @property
    def kind(self) -> OperationType:
        """Query, mutation or subscription."""
        return self.node.operation

    @property
    def name(self) -> str | None:
        """Its name; None for an anonymous one."""
        return self.node.name.value if self.node.name else None

    def cost(self, variables: Variables) -> int:
        """Returns the cost with coerced variables; of a subscription, that of one event."""
        return self._price().total(variables)

    def check_cost(self, variables: Variables) -> int:
        """Returns the cost of the operation with these variables; refuses one that is too dear.

        Raises:
            RequestError: It is over the limit `cost` with these variables.
        """
        cost = self.cost(variables)
        check(self._limits, "cost", cost, self.node)
        return cost

    def estimates(self, variables: Variables) -> tuple[Estimate, ...]:
        """Returns the cost field by field, from the root."""
        return self._price().estimates(variables)

    def _price(self) -> Cost:
        if self._cost is None:
            self._cost = Cost(steps(self._schema, self.node, self._fragments))
        return self._cost


class Document:
    """A valid document within its limits.

    Attributes:
        text: As it came.
        ast: Its syntax tree, with locations.
        operations: Its operations, in order.
        fragments: Its fragments by name.
        trusted: Whether it is the operator's own.
    """

    def __init__(
        self,
        text: str,
        ast: DocumentNode,
        operations: tuple[Operation, ...],
        fragments: Mapping[str, FragmentDefinitionNode],
        *,
        trusted: bool = False,
    ) -> None:
        self.text = text
        self.ast = ast
        self.operations = operations
        self.fragments = fragments
        self.trusted = trusted
        self._by_name = {operation.name: operation for operation in operations}

    @cached_property
    def digest(self) -> str:
        """The SHA-256 of the text in UTF-8, lower-case hex: its name as a trusted document."""
        return sha256(self.text.encode("utf-8", "surrogatepass")).hexdigest()

    def operation(self, name: str | None) -> Operation:
        """Returns the operation to run (GraphQL specification, section 6.1, GetOperation).

        Args:
            name: What the request calls it; None where it names none.

        Raises:
            RequestError: There is none of that name, or it takes a name to choose.
        """
        if name is None:
            if len(self.operations) == 1:
                return self.operations[0]
            message = "Must provide operation name if query contains multiple operations."
        elif found := self._by_name.get(name):
            return found
        else:
            message = f"Unknown operation named '{name[:100]}'."
        raise refusal(RefusalCode.OPERATION_RESOLUTION_FAILURE, message)
