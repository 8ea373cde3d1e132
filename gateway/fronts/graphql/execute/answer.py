"""What a run comes to: the data's text and what went wrong, and the response that they make."""

from __future__ import annotations

import json
from collections.abc import Sequence

from graphql import GraphQLError

from gateway.fronts.graphql.errors import (
    FormattedError,
    RefusalCode,
    call_extensions,
    errors_json,
    field_error,
)
from gateway.fronts.graphql.execute.headers import NO_HEADERS, Headers, shown
from gateway.fronts.graphql.execute.trouble import Note, Trouble
from gateway.fronts.graphql.plan.writing import InputError


def response(data: str, notes: Sequence[Note], headers: Headers = NO_HEADERS) -> bytes:
    """Returns the whole response as JSON: `{"data":…}` or `{"errors":…,"data":…}`.

    Args:
        data: The value of `data`, JSON.
        notes: What the run noted; of them, troubles are told.
        headers: The gateway's own, told in `extensions`, which stands last.
    """
    errors = formatted(notes)
    if not errors and not headers:
        return f'{{"data":{data}}}'.encode()
    told = b'"errors":%b,' % errors_json(errors) if errors else b""
    return b'{%b"data":%b%b}' % (told, data.encode(), extensions(headers))


def extensions(headers: Headers) -> bytes:
    """Returns the member of a response that tells headers, with a comma before it; or nothing.

    `,"extensions":{"headers":{"age":"3"}}`
    """
    told = shown(headers) if headers else None
    if not told:
        return b""
    text = json.dumps({"headers": told}, ensure_ascii=False, separators=(",", ":"))
    return b',"extensions":%b' % text.encode("utf-8", "replace")


def formatted(notes: Sequence[Note]) -> list[FormattedError]:
    """Returns the troubles among what was noted, as they are in the response."""
    return [_formatted(each) for each in notes if isinstance(each, Trouble)]


def input_error(failure: InputError) -> GraphQLError:
    """Returns the error for an argument that its request can't take, or its caller can't give."""
    if failure.denial is not None:
        extensions = call_extensions(failure.denial)
        return GraphQLError(failure.denial.status.message, extensions=extensions)
    where = "".join(
        f"[{part}]" if isinstance(part, int) else f".{part}" for part in reversed(failure.path)
    )
    text = f"Argument '{where[1:]}': {failure}" if where else str(failure)
    return GraphQLError(text, extensions={"code": RefusalCode.BAD_USER_INPUT})


def _formatted(trouble: Trouble) -> FormattedError:
    failure = trouble.failure
    return field_error(
        input_error(failure) if isinstance(failure, InputError) else failure,
        trouble.path[::-1],
        [
            {"line": node.loc.start_token.line, "column": node.loc.start_token.column}
            for node in trouble.nodes
            if node.loc is not None
        ],
    )
