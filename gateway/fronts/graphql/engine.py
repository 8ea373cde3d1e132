"""The engine of one graph: from a request to its response, by a plan.

What serving uses (`serve.engine` says the shapes). A request's document is looked up, its variables
are coerced, its cost is checked, its plan is found or made; then it is run. One engine belongs to
one generation; it holds caches and nothing of a request.

Some requests must pass a gate before they are run: one that asks for the schema, where that is not
for everybody, and one that asks for fields that need scopes, which are shown to callers that have
them. Who makes requests of any other kind only the gates of their calls ask.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from itertools import product
from typing import NamedTuple, TypeAlias

from graphql import GraphQLSchema, OperationType
from graphql.execution.values import VariableValues

from gateway.call import Cancel, Gate, Principal
from gateway.chain import Method
from gateway.fronts.admission import InTurn
from gateway.fronts.graphql.document import Document, Documents, Operation
from gateway.fronts.graphql.errors import RefusalCode, refusal
from gateway.fronts.graphql.execute.answer import response
from gateway.fronts.graphql.execute.events import Events
from gateway.fronts.graphql.execute.headers import Headers
from gateway.fronts.graphql.execute.incremental import Incremental
from gateway.fronts.graphql.execute.run import Answer, Run, Soon
from gateway.fronts.graphql.execute.trouble import Note
from gateway.fronts.graphql.plan.plan import Plan
from gateway.fronts.graphql.plan.planner import Planner
from gateway.fronts.graphql.plan.scopes import NOTHING_LACKING, Lacking, Scopes, unscoped
from gateway.fronts.graphql.plan.variables import Variables
from gateway.fronts.graphql.serve.engine import Done, Emit, EmitPart, GraphqlRequest
from gateway.routing.caller import Caller

_PLANS = 16  # of one operation, for the sets of variables that its directives read

_BYTES_A_FIELD = 1300
"""Memory of a field in a plan, with its share of generated code (measured: 1,200)."""


class Found(NamedTuple):
    """What a request asks to run."""

    document: Document
    operation: Operation


Find: TypeAlias = Callable[[GraphqlRequest], Found]
"""Says what a request asks to run. Raises RequestError."""


@dataclass(slots=True, eq=False)
class _Planned:
    """What is kept with an operation."""

    variables: Variables
    plans: dict[tuple[object, ...], Plan] = field(default_factory=dict)


@dataclass(slots=True)
class Prepared:
    """A request that can be run. Not to be changed; it is not frozen since that makes it slow.

    Attributes:
        plan: What answers it whole.
        variables: Coerced.
        caller: Who asks.
        parts: What answers it in parts, where a `@defer` splits its answer.
        gate: What its sender must pass before it is run.
        found: What it asks to run, where its plans depend on who asks.
    """

    plan: Plan
    variables: VariableValues
    caller: Caller
    parts: Plan | None = None
    gate: Gate | None = None
    found: Found | None = None

    @property
    def kind(self) -> OperationType:
        """What its operation is."""
        return self.plan.kind

    @property
    def incremental(self) -> bool:
        """Whether a `@defer` splits its answer."""
        return self.parts is not None


@dataclass(frozen=True, slots=True)
class Admission:
    """What senders of some requests must pass; None lets everybody pass.

    Attributes:
        schema: To ask for the schema; in trusted documents nobody is asked.
        scopes: To ask for fields that need scopes: it says who asks, if anybody does. Without it
            nobody has any.
    """

    schema: Gate | None = None
    scopes: Gate | None = None

    def gate(self, *, schema: bool, scopes: bool) -> Gate | None:
        """Returns what the sender of a request must pass that asks for the one or the other."""
        gates = [
            gate
            for gate, asked in ((self.schema, schema), (self.scopes, scopes))
            if gate is not None and asked
        ]
        return InTurn(gates) if len(gates) > 1 else next(iter(gates), None)


_OPEN = Admission()


MakeContext: TypeAlias = Callable[[Caller, list[Headers]], object]
"""Makes what resolvers in Python are told of a request, given where headers of the calls that they
make are put (`execute.headers.heard`)."""


def _no_context(_caller: Caller, _heard: list[Headers]) -> None:
    """There is no Python in the graph that would want one."""


class Engine:
    """Runs requests over one graph.

    Args:
        schema: The graph.
        methods: What its fields call, by full name.
        documents: The cache of documents.
        find: Says what a request asks to run; by the text of its document by default.
        soon: Calls a function at the end of this turn of the event loop; the running loop's
            `call_soon` by default.
        context: Makes what resolvers in Python are told of a request (`info.context`).
        scopes: What callers must have to see fields of messages.
        admission: What senders of some requests must pass.
    """

    def __init__(
        self,
        schema: GraphQLSchema,
        methods: Mapping[str, Method],
        documents: Documents,
        *,
        find: Find | None = None,
        soon: Soon | None = None,
        context: MakeContext = _no_context,
        scopes: Scopes = unscoped,
        admission: Admission = _OPEN,
    ) -> None:
        self.schema = schema
        self.documents = documents
        self._find = find or self._by_text
        self._planner = Planner(schema, methods, scopes)
        self._admission = admission
        self._soon = soon or _soon
        self._context = context

    def prepare(self, request: GraphqlRequest, caller: Caller) -> Prepared:
        """Returns the request, ready to run; nothing has been called yet.

        Raises:
            RequestError: It is refused.
        """
        document, operation = self._find(request)
        return self.prepare_operation(document, operation, request.variables or {}, caller)

    def _by_text(self, request: GraphqlRequest) -> Found:
        if request.query is None:
            raise refusal(RefusalCode.BAD_REQUEST, "Must provide a query.")
        document = self.documents.get(request.query)
        return Found(document, document.operation(request.operation_name))

    def prepare_operation(
        self,
        document: Document,
        operation: Operation,
        given: Mapping[str, object],
        caller: Caller,
    ) -> Prepared:
        """Returns an operation of a document that is known, ready to run.

        Raises:
            RequestError: The variables are wrong, or it costs too much with them.
        """
        if (record := caller.record) is not None:
            record.operation, record.document = operation.name or "", document.digest
            record.operation_type = operation.kind.value
        planned = self._planned(document, operation)
        variables = planned.variables.coerce(given)
        cost = operation.check_cost(variables.coerced)
        if record is not None:
            record.cost = cost
        plan = self._plan(document, operation, planned, variables)
        if plan.scopes or plan.introspects:
            return self._gated(Found(document, operation), planned, plan, variables, caller)
        if not planned.variables.defers:
            return Prepared(plan, variables, caller)
        return Prepared(plan, variables, caller, self._parts(document, operation, variables))

    def _gated(
        self,
        found: Found,
        planned: _Planned,
        plan: Plan,
        variables: VariableValues,
        caller: Caller,
    ) -> Prepared:
        """Returns a request of which it matters who asks."""
        gate = self._admission.gate(
            schema=plan.introspects and not found.document.trusted, scopes=bool(plan.scopes)
        )
        parts = self._parts(*found, variables) if planned.variables.defers else None
        prepared = Prepared(plan, variables, caller, parts, gate, found)
        return prepared if gate is not None else self.known(prepared, None)

    def known(self, prepared: Prepared, principal: Principal | None) -> Prepared:
        """Returns a request whose sender has passed its gate, as it is run for them."""
        plan, parts, found = prepared.plan, prepared.parts, prepared.found
        missing = plan.scopes - (frozenset() if principal is None else principal.scopes)
        if missing and found is not None:
            lacking = Lacking(missing, principal is None)
            planned = self._planned(*found)
            plan = self._plan(*found, planned, prepared.variables, lacking=lacking)
            if parts is not None:
                parts = self._parts(*found, prepared.variables, lacking)
        caller = replace(prepared.caller, principal=principal)
        return Prepared(plan, prepared.variables, caller, parts)

    def _parts(
        self,
        document: Document,
        operation: Operation,
        variables: VariableValues,
        lacking: Lacking = NOTHING_LACKING,
    ) -> Plan | None:
        """Returns the plan that answers in parts; None where nothing is put off."""
        planned = self._planned(document, operation)
        parts = self._plan(document, operation, planned, variables, defers=True, lacking=lacking)
        return parts if parts.puts_off else None

    def plan_ahead(self, document: Document, operation: Operation) -> None:
        """Plans an operation that is known before anybody asks for it.

        Where directives read more variables than plans are kept for, requests plan it.
        """
        planned = self._planned(document, operation)
        names = planned.variables.conditions
        if 2 ** len(names) <= _PLANS:
            for values in product((False, True), repeat=len(names)):
                variables = VariableValues({}, dict(zip(names, values, strict=True)))
                self._plan(document, operation, planned, variables)

    def _planned(self, document: Document, operation: Operation) -> _Planned:
        planned = operation.plan
        if not isinstance(planned, _Planned):
            planned = operation.plan = _Planned(
                Variables(
                    self.schema,
                    operation.node,
                    document.fragments,
                    suggestions=self.documents.suggests,
                )
            )
        return planned

    def variables(
        self, document: Document, operation: Operation, given: Mapping[str, object]
    ) -> Mapping[str, object]:
        """Returns the variables of an operation, coerced.

        Raises:
            RequestError: They are wrong.
        """
        return self._planned(document, operation).variables.coerce(given).coerced

    def _plan(
        self,
        document: Document,
        operation: Operation,
        planned: _Planned,
        variables: VariableValues,
        *,
        defers: bool = False,
        lacking: Lacking = NOTHING_LACKING,
    ) -> Plan:
        values = [variables.coerced.get(name) for name in planned.variables.conditions]
        key = (defers, lacking, *values)
        plan = planned.plans.get(key)
        if plan is not None:
            self.documents.lookups.plan_hits += 1
        else:
            self.documents.lookups.plan_misses += 1
            plan = self._planner.plan(
                document.ast, operation.node, variables, defers=defers, lacking=lacking
            )
            if len(planned.plans) < _PLANS:
                self.documents.grown(document, operation.measure.fields * _BYTES_A_FIELD)
            else:
                planned.plans.pop(next(iter(planned.plans)))
            planned.plans[key] = plan
        return plan

    def run(self, prepared: Prepared, done: Done) -> Cancel:
        """Runs a query or mutation; `done` may be called before this returns, once at most."""

        def answered(data: str, notes: list[Note], headers: Headers) -> None:
            done(response(data, notes, headers))

        return self.run_data(prepared, answered)

    def run_data(self, prepared: Prepared, done: Answer) -> Cancel:
        """Runs a query or mutation as `run`; `done` is given what answers it in pieces."""
        caller = _admitted(prepared)
        heard: list[Headers] = []
        return Run(
            prepared.plan,
            prepared.variables,
            caller,
            self._soon,
            done,
            context=self._context(caller, heard),
            heard=heard,
        ).start()

    async def run_incremental(self, prepared: Prepared, emit: EmitPart) -> None:
        """Runs a query or mutation whose answer comes in parts; cancelling ends its calls."""
        soon, caller = self._soon, _admitted(prepared)
        heard: list[Headers] = []
        context = self._context(caller, heard)

        def make(plan: Plan, done: Answer) -> Run:
            return Run(plan, prepared.variables, caller, soon, done, context=context, heard=heard)

        await Incremental(prepared.parts or prepared.plan, make).run(emit)

    async def subscribe(self, prepared: Prepared, emit: Emit) -> None:
        """Runs a subscription to the end of its stream; cancelling ends its calls.

        Raises:
            RequestError: It can't be started, or its stream failed.
        """
        caller = _admitted(prepared)
        events = Events(prepared.plan, prepared.variables, caller, self._soon, self._context)
        await events.run(emit)


def _admitted(prepared: Prepared) -> Caller:
    """Returns who asks. Raises TypeError where the gate was forgotten: that must not be run."""
    if prepared.gate is not None:
        raise TypeError("the sender of a request passes its gate before it is run")
    return prepared.caller


def _soon(work: Callable[[], None]) -> None:
    """Calls `work` at the end of this turn of the running loop."""
    # The loop is looked up when it is needed: that asks the system for the process id.
    asyncio.get_running_loop().call_soon(work)
