"""Keys of an issuer in a file: read at the start, and again within seconds of a change."""

from __future__ import annotations

from pathlib import Path

from gateway.policies.auth import strict_json
from gateway.policies.auth.jwt.keys import KeySet, KeySetError
from gateway.policies.auth.stored_file import FileError, StoredFile


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
        self._file = StoredFile(path, self._parse, changed=keys.replace)
        keys.replace(self._file.value)

    def again(self) -> None:
        """See `Source.again`: the file is looked at often enough."""

    def cooling(self) -> float:
        """See `Source.cooling`."""
        return 0.0

    async def open(self) -> None:
        """See `Source.open`."""
        await self._file.open()

    async def close(self) -> None:
        """See `Source.close`."""
        await self._file.close()

    def _parse(self, data: bytes) -> object:
        try:
            document = strict_json.read(data)
            self.keys.read(document)
        except (strict_json.NotStrictError, KeySetError) as wrong:
            raise FileError(f"{self._name}: no keys: {wrong}") from None
        return document
