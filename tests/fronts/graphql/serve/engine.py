"""An engine of graphql-core's own executor, so that serving can be tested without a graph."""

import asyncio
import json
from dataclasses import dataclass, replace

from graphql import (
    GraphQLError,
    OperationType,
    build_schema,
    execute,
    get_operation_ast,
    parse,
    subscribe,
    validate,
)
from graphql.execution.values import get_variable_values

from gateway.call import Code, RpcError, Status
from gateway.errors import error
from gateway.fronts.graphql.errors import RefusalCode, RequestError, refusal

SCHEMA = build_schema("""
    directive @later on INLINE_FRAGMENT
    type Query { hello(name: String = "you"): String! broken: String bug: String never: String me: String }
    type Mutation { add(n: Int!): Int! }
    type Subscription { count(to: Int!): Int! endless: Int! fails: Int! }
""")


@dataclass
class Prepared:
    kind: OperationType
    incremental: bool
    run: dict
    gate: object = None
    principal: object = None


class FakeEngine:
    """Answers from constants, and keeps what it is told.

    Attributes:
        requests: Every request with its caller.
        added: What mutations were given.
        cancelled: How many runs were cancelled.
        streams: How many subscriptions run now; `ended` is set when one ends.
        sent: How many events were taken.
        failure: What `prepare` and `run_incremental` raise.
        payload: Said by `hello`; its length by `endless`.
        gate: Where streams and parts wait, having set `begun`.
        asks: What senders must pass before anything is run.
    """

    def __init__(self):
        self.requests = []
        self.added = []
        self.cancelled = 0
        self.streams = 0
        self.ended = asyncio.Event()
        self.sent = 0
        self.failure = None
        self.payload = ""
        self.gate = None
        self.begun = asyncio.Event()
        self.asks = None

    def prepare(self, request, caller):
        self.requests.append((request, caller))
        if self.failure is not None:
            raise self.failure
        if request.query is None:
            raise refusal(RefusalCode.PERSISTED_QUERY_NOT_FOUND, "PersistedQueryNotFound")
        try:
            document = parse(request.query)
        except GraphQLError as wrong:
            raise refusal(RefusalCode.PARSE_FAILED, wrong.message) from None
        if errors := validate(SCHEMA, document):
            raise RequestError(
                GraphQLError(each.message, extensions={"code": RefusalCode.VALIDATION_FAILED})
                for each in errors
            )
        operation = get_operation_ast(document, request.operation_name)
        if operation is None:
            raise refusal(RefusalCode.OPERATION_RESOLUTION_FAILURE, "Which operation?")
        given = get_variable_values(
            SCHEMA, operation.variable_definitions or (), dict(request.variables or {})
        )
        if isinstance(given, list):
            raise refusal(RefusalCode.BAD_USER_INPUT, given[0].message)
        return Prepared(
            operation.operation,
            "@later" in request.query,
            {
                "document": document,
                "operation_name": request.operation_name,
                "variable_values": dict(request.variables or {}),
            },
            self.asks,
        )

    def known(self, prepared, principal):
        return replace(prepared, gate=None, principal=principal)

    def run(self, prepared, done):
        assert prepared.gate is None
        if "never" in str(prepared.run["document"].to_dict()):
            self.begun.set()
            return self._cancel
        root = {
            "hello": lambda info, name: f"Hello, {name}{self.payload}",
            "me": lambda info: prepared.principal and prepared.principal.subject,
            "broken": _refuse,
            "bug": _bug,
            "add": lambda info, n: (self.added.append(n), n)[1],
        }
        result = execute(SCHEMA, root_value=root, **prepared.run)
        done(json.dumps(result.formatted).encode())
        return self._cancel

    def _cancel(self):
        self.cancelled += 1

    async def run_incremental(self, prepared, emit):
        assert prepared.gate is None
        if not prepared.incremental:
            whole = asyncio.get_running_loop().create_future()
            self.run(prepared, whole.set_result)
            await emit((await whole)[:-1] + b',"hasNext":false}', False)
            return
        if self.failure:
            raise self.failure
        if self.gate is not None:
            self.begun.set()
            await self.gate.wait()
        await emit(b'{"data":{},"pending":[{"id":"0","path":[]}],"hasNext":true}', True)
        if self.payload == "fails":
            raise RuntimeError("a secret")
        tail = {"incremental": [{"id": "0", "data": {"hello": "-----\r\n"}}], "hasNext": False}
        await emit(json.dumps(tail).encode(), False)

    async def subscribe(self, prepared, emit):
        assert prepared.gate is None
        root = {"count": self._count, "endless": self._endless, "fails": self._fails}
        self.streams += 1
        try:
            events = subscribe(SCHEMA, root_value=root, **prepared.run)
            async for event in events:
                await emit(json.dumps(event.formatted).encode())
                self.sent += 1
        except RpcError as failure:
            raise RequestError([GraphQLError(failure.status.message)]) from None
        finally:
            self.streams -= 1
            self.ended.set()

    async def _count(self, info, to):
        for number in range(1, to + 1):
            yield {"count": number}

    async def _endless(self, info):
        while True:
            if self.gate is not None:
                self.begun.set()
                await self.gate.wait()
            yield {"endless": len(self.payload)}

    async def _fails(self, info):
        yield {"fails": 1}
        raise RuntimeError("a secret")


def _refuse(info):
    raise RpcError(Status(Code.NOT_FOUND, "no such thing"))


def _bug(info):
    raise error("INTERNAL", "It failed.")
