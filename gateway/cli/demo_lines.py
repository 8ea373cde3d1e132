"""What the demo prints to be tried, line by line: first what is open, then who may do more. Pure.

Every line runs as it is printed, in a POSIX shell, in its order.
"""

from __future__ import annotations

import json
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_ORDER: Final = '{"userId": "u1", "items": [{"productId": "p1", "quantity": 2}]}'
_JSON: Final = "-H 'content-type: application/json'"
_ID: Final = "ada-1"
_BEARER: Final = '-H "authorization: Bearer $TOKEN"'


@dataclass(frozen=True, slots=True)
class Places:
    """Where things are.

    Attributes:
        url: The gateway.
        admin: Its admin listener.
        issuer: Who gives tokens.
        key: A partner's key.
        config: The config.
        backend: The process of a backend.
    """

    url: str
    admin: str
    issuer: str
    key: str
    config: Path
    backend: int


def text(at: Places) -> str:
    """Returns all of it."""
    return "\n".join(
        [
            "",
            "Try, in another terminal:",
            *_indented(open_calls(at.url)),
            "",
            "The same shop as one graph, in a browser:",
            f"  {at.url}/graphql",
            "",
            "A chat and a stock ticker on one WebSocket, in a browser:",
            f"  {at.url}/demo",
            "",
            'Join that chat; say {"userId": "ann", "message": {"text": "hello"}}',
            f"  {chat(at.url)}",
            "",
            "Who orders must be known: this is refused (401)",
            f"  {order(at.url)}",
            "",
            "Ada's token shows who calls: she may order (201), and may not see all users (403)",
            *_indented(as_ada(at)),
            "",
            "The same token in GraphQL, and on a WebSocket",
            *_indented([graph_as_ada(at.url), socket_as_ada(at.url)]),
            "",
            "There are also farid, who sells, and tereza, of support. A partner has a key instead",
            *_indented(as_partner(at)),
            "",
            "Who may call what is here, to be read and changed; kill -HUP has it read again",
            f"  {at.config}",
            f"  {_command('gateway')} explain --config {shlex.quote(str(at.config))} CreateOrder",
            "",
            "Each backend marks its replies; see who answers:",
            f"  curl -si {at.url}/v1/products/p1 | grep -i x-replica",
            "",
            "How they do; kill one while you call, and nobody notices: it is started again",
            *_indented(killing(at)),
            "",
            "This is refused too (403), for it asks for another's orders; the gateway tells why",
            *_indented(asking_why(at)),
            "",
            "Ctrl-C ends it all.",
        ]
    )


def open_calls(url: str) -> list[str]:
    """Returns calls that need no caller: a GET, a stream, and what three services say at once."""
    query = '{"query": "{ getProduct(id: \\"p1\\") { title stock { available } score } }"}'
    return [
        f"curl {url}/v1/products/p1",
        f"curl -N '{url}/v1/stock:watch?interval=0.5s&count=3'",
        f"curl {url}/graphql {_JSON} -d '{query}'",
    ]


def order(url: str, credentials: str = "") -> str:
    """Returns a call that makes an order."""
    shown = f"{credentials} " if credentials else ""
    return f"curl {url}/v1/orders {shown}{_JSON} -d '{_ORDER}'"


def as_ada(at: Places) -> list[str]:
    """Returns how to get a token, a call that it allows, and one that it does not."""
    return [
        f"TOKEN=$(curl -s -d user=ada {at.issuer}/token.txt)",
        order(at.url, _BEARER),
        f"curl {at.url}/v1/users {_BEARER}",
    ]


def graph_as_ada(url: str) -> str:
    """Returns a query for orders; what else is in it follows from who may see that."""
    query = '{"query": "{ listOrders(userId: \\"u1\\") { orders { id user { displayName } } } }"}'
    return f"curl {url}/graphql {_BEARER} {_JSON} -d '{query}'"


def socket_as_ada(url: str) -> str:
    """Returns a line that calls on a socket which is opened with a token."""
    opening = {
        "t": "open",
        "id": 1,
        "method": "shop.orders.v1.OrderService/ListOrders",
        "body": {"userId": "u1", "pageSize": 1},
        "end": True,
    }
    hello = '\'{"t":"hello","token":"\'$TOKEN\'"}\''
    frames = f"{hello} '{json.dumps(opening, separators=(',', ':'))}'"
    return f"(printf '%s\\n' {frames}; sleep 1) | {_command('python')} -m websockets ws{url[4:]}/ws"


def as_partner(at: Places) -> list[str]:
    """Returns a call with the key of a partner, and one that it does not allow."""
    key = '-H "x-api-key: $KEY"'
    return [
        f"KEY={at.key}",
        f"curl -N '{at.url}/v1/orders/o120:watch?interval=0.5s' {key}",
        order(at.url, key),
    ]


def killing(at: Places) -> list[str]:
    """Returns how to look at backends, and how to end one at once."""
    looking = [f"{_command('gateway')} upstreams --admin {at.admin}"] if at.admin else []
    return [*looking, f"kill -9 {at.backend}"]


def asking_why(at: Places) -> list[str]:
    """Returns a call that fails and has a request id of its own, and how to ask why it failed."""
    path = f"{at.url}/v1/orders?user_id=u2"
    call = f"curl '{path}' -H 'x-request-id: {_ID}' {_BEARER}"
    return [call, *([f"{_command('gateway')} why {_ID} --admin {at.admin}"] if at.admin else [])]


def chat(url: str) -> str:
    """Returns a line that joins the chat; it runs where the gateway does, whatever is installed."""
    return f"{_command('python')} -m websockets ws{url[4:]}/v1/rooms/lobby:chat"


def _command(name: str) -> str:
    """Returns how to run a command of this environment from this folder."""
    python, here = Path(sys.executable), Path.cwd()
    command = python.relative_to(here) if python.is_relative_to(here) else python
    shown = shlex.quote(str(command))
    return shown if name == "python" else f"{shown} -m {name}"


def _indented(lines: list[str]) -> list[str]:
    return [f"  {line}" for line in lines]
