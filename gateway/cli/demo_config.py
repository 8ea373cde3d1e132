"""The config of the demo: a file like any other, to be read, changed and reloaded.

What differs from start to start (addresses, folders) is written here; who may call what stands in
the example's `schema/policies.yaml`, word for word.
"""

from __future__ import annotations

import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import yaml

from gateway.policies.auth.key_form import digest_of, new_key

PORT: Final = 8080
ADMIN_PORT: Final = 9090
ISSUER_PORT: Final = 8081

# With it nobody who asks for what changes nothing notices when a backend is killed, or hangs.
_RESILIENCE: Final[Mapping[str, object]] = {
    "retries": {},
    "health_check": {"interval": "1s", "timeout": "500ms"},
    "outlier_detection": {},
}

_FILE: Final = "gateway.yaml"
_KEYS: Final = "keys.yaml"


@dataclass(frozen=True, slots=True)
class Parts:
    """What the demo has running.

    Attributes:
        example: The folder with the example's `protos` and `schema`.
        backends: Where the backends serve, `127.0.0.1:50051`.
        issuer: The URL of who gives tokens.
        keys: The file of the partners' keys.
    """

    example: Path
    backends: Sequence[str]
    issuer: str
    keys: Path


def write(folder: Path, parts: Parts) -> Path:
    """Writes the config into a folder, and returns the file."""
    policies = (parts.example / "schema" / "policies.yaml").read_text()
    file = folder / _FILE
    file.write_text(f"{yaml.safe_dump(_sections(parts), sort_keys=False)}\n{policies}")
    return file


def write_keys(folder: Path) -> tuple[Path, str]:
    """Makes a key for a partner; returns the file that has its hash, and the key itself."""
    key = new_key()
    entry = {
        "hash": f"sha256:{digest_of(key.text).hex()}",
        "owner": "acme",
        "name": "Acme, who delivers",
        "scopes": ["orders.read"],
        "claims": {"tenant": "acme"},
    }
    file = folder / _KEYS
    file.touch(0o600)
    file.write_text(yaml.safe_dump({"keys": {key.id: entry}}, sort_keys=False))
    return file, key.text


def _sections(parts: Parts) -> Mapping[str, object]:
    backends = list(parts.backends)
    schema = parts.example / "schema"
    return {
        "listener": {
            "address": f"127.0.0.1:{_free(PORT)}",
            "drain_timeout": "3s",  # Ctrl-C in a demo means now
            # Whoever tries how fast it is, shows nobody, and does so from one address.
            "limits": {"unauthenticated": "1000000/s"},
        },
        "admin": {"address": f"127.0.0.1:{_free(ADMIN_PORT)}"},
        "schema": {"protos": [str(parts.example / "protos")]},
        "upstreams": {
            "shop": {"services": ["shop.*"], "endpoints": backends, **_RESILIENCE},
            # A chat room is one replica's: all who talk must be with the same one.
            "chat": {
                "services": ["shop.chat.v1.ChatService"],
                "endpoints": backends,
                "balancing": {"policy": "pick_first"},
            },
        },
        "graphql": {
            "joins": [str(schema / "joins.graphql")],
            "operations": [str(schema / "operations")],
            "extensions": ["shop_extensions:extensions"],
        },
        "websocket": {"resume": "30s", "demo": True},
        "headers": {"response": {"allow": ["x-replica"]}},
        "auth": {
            "providers": {
                "customers": {"jwt": {"issuer": parts.issuer, "audiences": ["shop"]}},
                "partners": {"api_key": {"keys": {"file": str(parts.keys)}}},
            },
            "forward": {"subject": "x-subject", "claims": ["tenant"]},
        },
        "pages": {"authenticate": "none"},
    }


def _free(port: int) -> int:
    """Returns the port, or 0 (any free one) where somebody has it."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return 0
    return port
