"""What of an answer failed: the error that a view answers with, or the parts that are missing.

An error of GraphQL stands at a field; what is missing then is the nearest thing around it that may
be null. A view fails if a part that it requires is missing, or has nothing left at its root. REST
clients see the error of the first such failure, with the status of the call that failed.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from graphql import GraphQLError

from gateway.call import Code, RpcError, Status
from gateway.chain import as_error
from gateway.errors import error
from gateway.fronts.graphql.execute.answer import input_error
from gateway.fronts.graphql.execute.trouble import Trouble
from gateway.fronts.graphql.plan.writing import InputError
from gateway.fronts.graphql.trusted.directive import Part

_FAILED = {code.name: code for code in Code if code is not Code.OK}


def missing(data: str, troubles: Sequence[Trouble], required: Sequence[Part]) -> tuple[Part, ...]:
    """Returns the parts of an answer that failed, each once; none where nothing did.

    Args:
        data: The value of `data`, JSON.
        troubles: What went wrong.
        required: The parts without which there is no answer.

    Raises:
        RpcError: A required part failed, or nothing is left.
    """
    if not troubles:
        return ()
    value = json.loads(data)
    failures = [rpc_error(trouble.failure) for trouble in troubles]  # which logs bugs, all of them
    parts = [_lost(value, trouble.path[::-1]) for trouble in troubles]
    for part, failure in zip(parts, failures, strict=True):
        if any(each[: len(part)] == part for each in ((), *required)):
            raise failure
    if all(each is None for each in value.values()):
        raise failures[0]
    return tuple(dict.fromkeys(parts))


def rpc_error(failure: Exception) -> RpcError:
    """Returns a field's failure as the error of a call; a bug is logged, and not shown."""
    cause = failure.original_error if isinstance(failure, GraphQLError) else None
    if cause is not None:
        return rpc_error(cause)
    if isinstance(failure, InputError):
        if failure.denial is not None:
            return failure.denial
        return error("INVALID_QUERY", input_error(failure).message)
    if isinstance(failure, GraphQLError):
        named = str((failure.extensions or {}).get("code"))
        return RpcError(Status(_FAILED.get(named, Code.UNKNOWN), failure.message))
    return as_error(failure)


def _lost(data: object, path: Sequence[str | int]) -> Part:
    """Returns the part that is null because of an error at a path."""
    part: list[str] = []
    value = data
    for key in path:
        if isinstance(value, dict) and isinstance(key, str):
            part.append(key)
            value = value[key]
        elif isinstance(value, list) and isinstance(key, int):
            value = value[key]
        else:
            break
    return tuple(part)
