"""Keys of an issuer in a file: read at the start, and again within seconds of a change."""

from __future__ import annotations

from functools import partial
from math import inf
from pathlib import Path
from typing import Final

from gateway.policies.auth import strict_json
from gateway.policies.auth.jwt.keys import KeySet, KeySetError
from gateway.policies.auth.stored_file import FileError, StoredFile

_PEM: Final = (
    'it is PEM, not a JSON Web Key Set, {"keys": […]}; with the gateway\'s Python, this makes one '
    "of an RSA key (of others with ECKey or OKPKey): python -c 'import json, sys; from joserfc.jwk "
    'import RSAKey as Key; print(json.dumps({"keys": [Key.import_key(sys.stdin.read()).as_dict('
    "private=False)]}))' < key.pem > jwks.json"
)


class StoredKeys:
    """Keys in a file (`source.Source`).

    Args:
        keys: Where they are put.
        path: The file, a JSON Web Key Set.

    Raises:
        FileError: It can't be read, or has no key of use.
    """

    def __init__(self, keys: KeySet, path: Path) -> None:
        self.keys = keys
        self._name = path.name
        self._file = StoredFile(path, self._parse, changed=partial(keys.replace, place=self._name))
        keys.replace(self._file.value, self._name)

    def again(self) -> None:
        """See `Source.again`: the file is looked at often enough."""

    def cooling(self) -> float:
        """See `Source.cooling`."""
        return inf

    async def open(self) -> None:
        """See `Source.open`."""
        await self._file.open()

    async def close(self) -> None:
        """See `Source.close`."""
        await self._file.close()

    def _parse(self, data: bytes) -> object:
        if data.lstrip().startswith(b"-----BEGIN "):
            raise FileError(f"{self._name}: no keys: {_PEM}")
        try:
            document = strict_json.read(data)
            self.keys.check(document)
        except (strict_json.NotStrictError, KeySetError) as wrong:
            raise FileError(f"{self._name}: no keys: {wrong}") from None
        return document
