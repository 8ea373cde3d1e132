"""Who calls, as one text: what all that counts callers tells them apart by.

It can't be forged: each part says what it is and how long it is, so no value of one part reads like
another part, and a caller is named with the provider that knows it. It is bounded: what is long is
hashed.
"""

from __future__ import annotations

import hashlib
from typing import Final

from gateway.call import Call, Principal
from gateway.policies.site import site_of

_LONGEST: Final = 64  # characters of a value as it is
_DIGEST: Final = 32  # hexadecimal digits that stand for a longer one: 128 bits


def caller_of(call: Call) -> str:
    """Returns what stands for who calls: the caller, or the address of one that nobody knows.

    Whom a provider lets in without a name is known by the address, as who shows nobody.
    """
    principal = call.principal
    if principal is None or not principal.subject:
        return address_of(call)
    return _of_principal(principal)


def address_of(call: Call) -> str:
    """Returns what stands for the address that a call comes from."""
    return f"a{bounded(site_of(call.peer))}"


def bounded(value: str) -> str:
    """Returns a value of bounded length, with its length: what follows it can't be part of it."""
    if len(value) <= _LONGEST and value.isascii():
        return f"{len(value)}:{value}"
    return hashed(value)


def hashed(value: str) -> str:
    """Returns what stands for a value that is long, or that others need not read."""
    digest = hashlib.sha256(value.encode(errors="surrogatepass")).hexdigest()
    return f"#{digest[:_DIGEST]}"


def _of_principal(principal: Principal) -> str:
    provider, subject = principal.provider, principal.subject
    key = f"p{len(provider)}:{provider}{len(subject)}:{subject}"
    if len(key) <= _LONGEST and key.isascii():
        return key  # as below, in half the time: most calls come here
    return f"p{bounded(provider)}{bounded(subject)}"
