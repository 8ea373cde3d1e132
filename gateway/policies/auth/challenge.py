"""How a caller is refused: 401 and 403, and what `WWW-Authenticate` says with them.

RFC 9110 section 11.6.1 has the field; RFC 6750 section 3 has what errors of
bearer tokens say in it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Final

from gateway.call import RpcError
from gateway.errors import error
from gateway.policies.auth.provider import BadCredentials

REALM: Final = "gateway"
BEARER: Final = "Bearer"

_FIELD: Final = "www-authenticate"


def missing(schemes: Iterable[str], method: str) -> RpcError:
    """Returns the refusal of a call that shows nobody.

    Args:
        schemes: Those by which somebody can be shown.
        method: What is called; empty for a page or a socket.
    """
    what = "The method" if method else "This"
    text = f"{what} needs a caller, and the request shows none that it accepts."
    return error("CREDENTIALS_MISSING", text, headers=_challenges(schemes))


def bad(failure: BadCredentials, schemes: Iterable[str]) -> RpcError:
    """Returns the refusal of a call that shows what is not accepted."""
    attributes = (("error", "invalid_token"), ("error_description", failure.text))
    headers = _challenges(schemes, {BEARER: attributes})
    return error(failure.reason, failure.text, headers=headers)


def lacking_scopes(scopes: Sequence[str], schemes: Collection[str]) -> RpcError:
    """Returns the refusal of a caller that lacks scopes.

    A challenge goes with it only where tokens are accepted, which may have more scopes: 403 needs
    none (RFC 9110 section 15.5.4).

    Args:
        scopes: All that the method needs.
        schemes: Those by which a caller can show itself.
    """
    needed = " ".join(scopes)
    attributes = (("error", "insufficient_scope"), ("scope", needed))
    return error(
        "INSUFFICIENT_SCOPE",
        f"The caller lacks a scope; the method needs: {needed}.",
        metadata={"scopes": needed},
        headers=_challenges((BEARER,), {BEARER: attributes}) if BEARER in schemes else None,
    )


def lacking_roles(roles: Sequence[str]) -> RpcError:
    """Returns the refusal of a caller that has none of the roles, one of which the method needs."""
    needed = " ".join(roles)
    return error(
        "ROLE_MISSING",
        f"The caller has no role that the method needs, one of: {', '.join(roles)}.",
        metadata={"roles": needed},
    )


def _challenges(
    schemes: Iterable[str], attributes: dict[str, tuple[tuple[str, str], ...]] | None = None
) -> dict[str, str]:
    parts = []
    for scheme in dict.fromkeys(filter(None, schemes)):
        pairs = (("realm", REALM), *((attributes or {}).get(scheme, ())))
        parts.append(f"{scheme} " + ", ".join(f'{key}="{_quoted(text)}"' for key, text in pairs))
    return {_FIELD: ", ".join(parts)} if parts else {}


def _quoted(text: str) -> str:
    """Returns what RFC 6750 allows in a quoted text: no quote and no backslash."""
    return "".join(char for char in text if " " <= char <= "~" and char not in '"\\')
