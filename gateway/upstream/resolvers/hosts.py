"""Names that no name server is asked for: the hosts file's (hosts(5)) and `localhost` (RFC 6761).

Pure: the file's text is an argument.
"""

from __future__ import annotations

from gateway.upstream.endpoints import is_address


def addresses_of(name: str, text: str) -> tuple[str, ...]:
    """Returns the addresses of a name; none where name servers are to be asked.

    Addresses with a zone (`fe80::1%lo0`) are left out: they are no host's own.

    Args:
        name: A host name.
        text: What the hosts file says.
    """
    wanted = name.rstrip(".").lower()
    found = []
    for line in text.splitlines():
        address, *names = line.partition("#")[0].split() or [""]
        if wanted in map(str.lower, names) and "%" not in address and is_address(address):
            found.append(address)
    if not found and (wanted == "localhost" or wanted.endswith(".localhost")):
        return ("127.0.0.1",)
    return tuple(dict.fromkeys(found))
