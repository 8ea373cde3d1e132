"""The kind of value that names where something is written: a file, which need not be there yet."""

import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic.json_schema import JsonSchemaValue

from gateway.config.leaf import Leaf, LeafError, UnusableError

STANDARD_OUTPUT: Final = "-"


@dataclass(frozen=True, slots=True)
class Output(Leaf):
    """A `str`: the path of a file that can be written, or STANDARD_OUTPUT."""

    def read(self, value: object, directory: Path) -> str:
        """See `Leaf.read`."""
        if not isinstance(value, str) or not value or "\0" in value:
            raise LeafError("the path of a file, or - for standard output")
        if value == STANDARD_OUTPUT:
            return value
        path = directory / value
        try:
            found = path.stat()
        except FileNotFoundError:
            if not path.parent.is_dir():
                raise UnusableError(f"no such folder: {path.parent}") from None
            if not os.access(path.parent, os.W_OK | os.X_OK):
                raise UnusableError(f"cannot write to {path.parent}: permission denied") from None
            return str(path)
        except OSError as error:
            raise UnusableError(f"cannot write {path}: {error.strerror}") from None
        if stat.S_ISDIR(found.st_mode):
            raise UnusableError(f"not a file: {path}")
        if not os.access(path, os.W_OK):
            raise UnusableError(f"cannot write {path}: permission denied")
        return str(path)

    def json_schema(self) -> JsonSchemaValue:
        """See `Leaf.json_schema`."""
        return {"type": "string", "minLength": 1}

    def show(self, value: str) -> str:
        """See `Leaf.show`."""
        return value
