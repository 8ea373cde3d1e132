"""How a whole reply is made ready for its client: who may read it, and what it is packed in.

A body of more than 64 KiB is packed beside the loop, so its reply leaves a little later. A packed
form that is not smaller is not sent, and what can't be packed is sent as it is.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from typing import Final, TypeAlias

from gateway.http.exchange import HeaderList
from gateway.kept import KeptBody
from gateway.listener.codings import Pack
from gateway.listener.packing import Plan
from gateway.listener.service import Service

log = logging.getLogger("gateway.listener")

Send: TypeAlias = "Callable[[HeaderList, bytes | None], None]"
"""Sends a reply of header fields and a body; None for one that is not made, as HEAD shows none."""

AT_ONCE: Final = 64 * 1024
"""Bytes of the largest body that is packed in the loop: half a millisecond."""


def dress(
    service: Service,
    plan: Plan,
    method: str,
    body: bytes,
    *,
    kept: KeptBody | None,
    send: Send,
) -> None:
    """Has a whole reply sent as its client takes it, now or soon; `send` is called at most once.

    Args:
        service: What the listener's connections share; its `packing` has made the plan.
        plan: What becomes of the reply, which may be packed.
        method: The request's verb.
        body: The reply's.
        kept: Where it is kept.
        send: Sends it.
    """
    packing, coding = service.packing, plan.coding
    if packing is None or coding is None:
        send(plan.headers, body)
        return
    form = (coding, None if kept is None else kept.form)

    def choose(made: bytes | None) -> None:
        if made is not None and len(made) < len(body):
            send(plan.packed, made)
        else:
            send(plan.headers, body)

    def made_now(made: bytes | None) -> None:
        if made is not None and kept is not None:
            kept.forms.keep(form, made)
        choose(made)

    known = None if kept is None else kept.forms.get(form)
    pack = packing.packer(coding)
    if known is not None:
        choose(known)
    elif method == "HEAD":
        send(plan.packed, None)
    elif len(body) <= AT_ONCE:
        made_now(_packed(pack, body))
    elif not service.offload.run(partial(pack, body), made_now):
        send(plan.headers, body)


def _packed(pack: Pack, body: bytes) -> bytes | None:
    """Returns a packed body; None where packing failed, as it does for lack of memory."""
    try:
        return pack(body)
    except Exception:
        log.exception("a reply could not be packed")
        return None
