"""Descriptors from files that hold a serialized FileDescriptorSet (`protoc -o`, `buf build -o`)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from gateway.regular import read_regular
from gateway.schema.file import SchemaFile, Source
from gateway.schema.problem import Problem, SchemaError
from gateway.schema.serialized import split_set

_EXPECTED = "expected what `protoc --include_imports --descriptor_set_out=…` writes"


async def from_descriptor_sets(paths: Sequence[Path]) -> list[SchemaFile]:
    """Returns the files of descriptor sets. What they import need not be among them.

    Raises:
        SchemaError: Files can't be read or are no descriptor sets; all that are not.
    """
    files: list[SchemaFile] = []
    problems: list[Problem] = []
    for path in paths:
        try:
            files += await asyncio.to_thread(_read, path)
        except OSError as error:
            problems.append(Problem(str(path), message=f"can't be read: {error.strerror}"))
        except ValueError as error:
            problems.append(
                Problem(str(path), message=f"is not a descriptor set: {error}", hint=_EXPECTED)
            )
    if problems:
        raise SchemaError(problems)
    return files


def _read(path: Path) -> list[SchemaFile]:
    data = read_regular(path)
    if not data:
        raise ValueError("it is empty")
    return [
        SchemaFile.cut(each, Source.DESCRIPTOR_SET, str(path))
        for each in split_set(memoryview(data))
    ]
