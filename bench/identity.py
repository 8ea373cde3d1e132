"""CPU time that knowing and judging callers adds to a call, and the memory of judged tokens.

    python bench/identity.py

No sockets: calls pass a method's chain, composed as the gateway composes it, to an upstream that
answers at once. Prints the median microseconds of CPU of a call, and what each way of knowing its
caller adds to `none`. The request has 12 header fields, as a browser's:

    none              deadline alone
    jwt               a token of RS256 with 13 claims, judged before
    jwt, 5,000        as many tokens, each of another caller, one after the other
    jwt, cookie       the one token in a cookie of three
    jwt, second       the same behind a provider of another issuer
    jwt, fresh        never judged before: parsed, verified, kept
    jwt, bad          refused, as it was a moment ago
    api key           one of 1,000
    scopes            the token and two scopes
    condition         the token and `claims.tenant == "t-1" && principal.plan == "pro"`

Then 100,000 tokens, each of another caller, are judged and kept in 32 MiB: what the process has
grown by, and what it has been charged with.
"""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from itertools import cycle
from pathlib import Path
from tempfile import TemporaryDirectory

from google.protobuf.descriptor_pool import DescriptorPool
from machine import machine

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from gateway.call import Call, Cancel, Done, Principal, Reply  # noqa: E402
from gateway.chain import Policy, compose_unary  # noqa: E402
from gateway.fronts.cross_site import is_own_doing  # noqa: E402
from gateway.head import Head  # noqa: E402
from gateway.http import Headers, Request  # noqa: E402
from gateway.policies.auth import key_form  # noqa: E402
from gateway.policies.auth.api_keys import ApiKey, ApiKeys, table_of  # noqa: E402
from gateway.policies.auth.authenticate import Authenticate  # noqa: E402
from gateway.policies.auth.bearer import BearerTokens  # noqa: E402
from gateway.policies.auth.guard import AddressGuard  # noqa: E402
from gateway.policies.auth.jwt.claims import Expected  # noqa: E402
from gateway.policies.auth.jwt.keys import KeySet  # noqa: E402
from gateway.policies.auth.jwt.provider import Jwt  # noqa: E402
from gateway.policies.auth.jwt.stored_keys import StoredKeys  # noqa: E402
from gateway.policies.auth.provider import Provider  # noqa: E402
from gateway.policies.auth.stored_file import StoredFile  # noqa: E402
from gateway.policies.auth.token_cache import TokenCache  # noqa: E402
from gateway.policies.authorize import Authorize  # noqa: E402
from gateway.policies.cel import Compiler  # noqa: E402
from gateway.policies.deadline import DeadlineGate  # noqa: E402
from tests.policies.auth.issuer import AUDIENCE, Issuer  # noqa: E402

SIZE = 32 * 1024**2
TOKENS = 100_000
REPEAT, ROUNDS = 20_000, 9
REPLY = Reply(b"")
FIELDS = (
    *(("host", "api.example"), ("user-agent", "Mozilla/5.0 (X11; Linux x86_64)")),
    *(("accept", "application/json"), ("accept-language", "en"), ("accept-encoding", "gzip")),
    *(("sec-fetch-site", "same-origin"), ("sec-fetch-mode", "cors"), ("sec-fetch-dest", "empty")),
    *(("origin", "https://app.example"), ("connection", "keep-alive"), ("x-request-id", "r-1")),
)


def head(*fields: tuple[str, str]) -> Request:
    return Request("GET", "/v1/orders/1", None, Headers((*FIELDS, *fields)), peer="203.0.113.7")


def bearer(token: str) -> Request:
    return head(("authorization", f"Bearer {token}"))


def answer(_: Call, done: Done) -> Cancel:
    done(REPLY)
    return answer_cancel


def answer_cancel() -> None:
    """Has nothing to end."""


def claims(number: int) -> dict[str, object]:
    return {
        "sub": f"user-{number:08d}",
        "jti": f"{number:032x}",
        "nbf": 1_700_000_000 + number,
        "scope": "orders.read orders.write profile",
        "roles": ["clerk", "auditor"],
        "plan": "pro",
        "tenant": f"t-{number}",
        "email": f"user{number}@shop.example",
        "name": f"User Number {number}",
    }


def provider(
    folder: Path, issuer: Issuer, name: str = "customers", cookie: str | None = None
) -> tuple[Jwt, TokenCache]:
    cache = TokenCache(SIZE, time.time, time.monotonic)
    keys = KeySet(["RS256", "EdDSA"], cache.forget_refusals)
    path = folder / f"{name}.json"
    path.write_text(json.dumps(issuer.jwks()))
    made = Jwt(
        name,
        Expected(issuer.url, frozenset({AUDIENCE})),
        StoredKeys(keys, path),
        tokens=BearerTokens(cookie, is_own_doing),
        cache=cache,
        now=time.time,
    )
    return made, cache


def api_keys(folder: Path) -> tuple[ApiKeys, str]:
    texts = [key_form.new_key().text for _ in range(1000)]
    table = table_of(
        ApiKey(str(number), key_form.digest_of(text), Principal(f"owner-{number}", "partners"))
        for number, text in enumerate(texts)
    )
    path = folder / "keys.yaml"
    path.write_text("")
    return ApiKeys("partners", "x-api-key", StoredFile(path, lambda _: table), time.time), texts[5]


def gate(*providers: Provider) -> Authenticate:
    return Authenticate(
        providers, optional=False, guard=AddressGuard(1e9, 1_000_000, time.monotonic)
    )


def cost(policies: Sequence[Policy], heads: Iterator[Head], repeat: int = REPEAT) -> float:
    """Returns the median CPU microseconds of a call with each of the heads."""
    start = compose_unary([DeadlineGate(5.0, time.monotonic), *policies], answer)
    times = []
    for _ in range(ROUNDS):
        asked = [next(heads) for _ in range(repeat)]
        gc.collect()
        began = time.process_time()
        for each in asked:
            start(Call("shop.orders.v1.OrderService/GetOrder", head=each, peer=each.peer), ignore)
        times.append((time.process_time() - began) / repeat * 1e6)
    return statistics.median(times)


def ignore(_: object) -> None:
    """Takes a result."""


def times(folder: Path) -> None:
    issuer, other = Issuer("https://id.example"), Issuer("https://other.example")
    jwt, _ = provider(folder, issuer)
    by_cookie, _ = provider(folder, issuer, "cookie", "session")
    stranger, _ = provider(folder, other, "strangers")
    crowd = Issuer("https://crowd.example", alg="EdDSA")
    of_crowd, _ = provider(folder, crowd, "crowd")
    tokens = [bearer(crowd.token(**claims(number))) for number in range(5000)]
    keys, key = api_keys(folder)
    token = issuer.token(**claims(1))
    known = cycle([bearer(token)])
    cookie = cycle([head(("cookie", f"theme=dark; session={token}; lang=en"))])
    condition = Compiler(DescriptorPool()).compile(
        'claims.tenant == "t-1" && principal.plan == "pro"', "google.protobuf.Empty"
    )
    scopes = Authorize(scopes=["orders.read", "orders.write"])
    rows: list[tuple[str, float]] = [
        ("none", cost([], known)),
        ("jwt", cost([gate(jwt)], known)),
        ("jwt, 5,000", cost([gate(of_crowd)], cycle(tokens))),
        ("jwt, cookie", cost([gate(by_cookie)], cookie)),
        ("jwt, second", cost([gate(stranger, jwt)], known)),
        ("jwt, fresh", cost([gate(jwt)], fresh(issuer), 200)),
        ("jwt, bad", cost([gate(jwt)], cycle([bearer(issuer.token(sub=""))]), 2000)),
        ("api key", cost([gate(keys)], cycle([head(("x-api-key", key))]))),
        ("scopes", cost([gate(jwt), scopes], known)),
        ("condition", cost([gate(jwt), Authorize(when=condition)], known)),
    ]
    none = rows[0][1]
    print(f"{'':14}{'µs a call':>12}{'added':>9}    (a token of {len(token)} characters)")
    for name, microseconds in rows:
        print(f"{name:14}{microseconds:12.2f}{microseconds - none:9.2f}")


def fresh(issuer: Issuer) -> Iterator[Request]:
    number = 0
    while True:
        number += 1
        yield bearer(issuer.token(**claims(number)))


def resident() -> int:
    line = next(
        line for line in Path("/proc/self/status").read_text().splitlines() if "VmRSS" in line
    )
    return int(line.split()[1]) * 1024


def memory(folder: Path) -> None:
    issuer = Issuer("https://id.example", alg="EdDSA")
    jwt, cache = provider(folder, issuer)
    start = compose_unary([gate(jwt)], answer)
    start(Call("a.B/C", head=bearer(issuer.token())), ignore)
    gc.collect()
    before, most = resident(), 0
    for number in range(TOKENS):
        start(Call("a.B/C", head=bearer(issuer.token(**claims(number)))), ignore)
        if number % 1000 == 0:
            most = max(most, resident())
    mib = 1024**2
    print(
        f"\n{TOKENS} tokens: {len(cache)} kept, charged with {cache.taken / mib:.1f} MiB "
        f"of {SIZE / mib:.0f}; the process has grown by {(most - before) / mib:.1f} MiB"
    )


async def main() -> None:
    print(machine())
    logging.getLogger("gateway.auth").setLevel(logging.WARNING)
    with TemporaryDirectory() as folder:
        memory(Path(folder))
        times(Path(folder))


if __name__ == "__main__":
    asyncio.run(main())
