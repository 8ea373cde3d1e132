"""Makes one set of files of what several sources gave: no file twice, none missing, in order.

The same file from two sources is fine when it says the same. Files that are bundled with the
gateway (`google/api/annotations.proto`) exist in many versions in the world, so of those the copy
in a folder of the user's wins, else the largest: Google's common protos only grow. Any other file
that two sources give differently is a problem that names both. Whether the files fit together is
for the pool to say.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.message import DecodeError

from gateway.schema import bundled
from gateway.schema.file import SchemaFile, Source
from gateway.schema.problem import Problem


def merge(files: Iterable[SchemaFile]) -> tuple[list[SchemaFile], list[Problem]]:
    """Merges files and completes them with bundled ones that they import.

    Returns:
        The files, every one after those it imports; and what is wrong with others, which are left
        out, as is what imports them.
    """
    chosen, problems = _one_each(files)
    imports, unreadable = _read_imports(chosen)
    problems += unreadable
    ordered, unordered = _in_order(chosen, imports)
    return ordered, problems + unordered


def _one_each(files: Iterable[SchemaFile]) -> tuple[dict[str, SchemaFile], list[Problem]]:
    chosen: dict[str, SchemaFile] = {}
    problems = []
    for file in files:
        other = chosen.setdefault(file.name, file)
        if other is file or other.types == file.types:
            continue
        if file.name in bundled.paths():
            chosen[file.name] = max(other, file, key=_standing)
        elif not _same(other, file):
            problems.append(
                Problem(
                    file.origin,
                    message=f"differs from {other.origin}: one schema has one {file.name}",
                    hint="give the file in one source only, or the same version in both",
                )
            )
    return chosen, problems


def _standing(file: SchemaFile) -> tuple[bool, int]:
    return file.source is Source.FOLDER, len(file.types)


def _same(one: SchemaFile, other: SchemaFile) -> bool:
    """Whether two descriptors say the same; generators leave out `json_name` where it is usual."""
    try:
        return _without_json_names(one.proto()) == _without_json_names(other.proto())
    except DecodeError:
        return False


def _without_json_names(file: FileDescriptorProto) -> FileDescriptorProto:
    for extension in file.extension:
        extension.ClearField("json_name")
    messages = list(file.message_type)
    for message in messages:
        messages.extend(message.nested_type)
        for field in (*message.field, *message.extension):
            if field.json_name == _usual_json_name(field.name):
                field.ClearField("json_name")
    return file


def _usual_json_name(name: str) -> str:
    """Returns the JSON name that protoc gives a field (protobuf.dev, ProtoJSON format)."""
    first, *rest = name.split("_")
    return first + "".join(part[:1].upper() + part[1:] for part in rest)


def _read_imports(
    chosen: dict[str, SchemaFile],
) -> tuple[dict[str, tuple[str, ...]], list[Problem]]:
    """Reads what each file imports; adds bundled files for what is missing to `chosen`."""
    imports: dict[str, tuple[str, ...]] = {}
    problems = []
    pending = list(chosen)
    while pending:
        name = pending.pop()
        if name in imports:
            continue
        file = chosen.get(name) or bundled.find(name)
        if file is None:
            continue  # reported by who imports it
        chosen[name] = file
        try:
            imports[name] = tuple(file.proto().dependency)
        except DecodeError:
            problems.append(
                Problem(file.origin, message="is not a file descriptor, or a damaged one")
            )
            imports[name] = ()
            del chosen[name]
            continue
        pending += imports[name]
    return imports, problems


def _in_order(
    chosen: Mapping[str, SchemaFile], imports: Mapping[str, tuple[str, ...]]
) -> tuple[list[SchemaFile], list[Problem]]:
    """Sorts so that imports come first; depth first, without recursion."""
    ordered: list[SchemaFile] = []
    problems = []
    state: dict[str, bool | None] = {}  # None: being visited; True: ordered; False: left out
    for root in chosen:
        stack = [root]
        while stack:
            name = stack[-1]
            if name not in state:
                state[name] = None
                for needed in imports[name]:
                    if needed in chosen and needed not in state:
                        stack.append(needed)
                    elif needed in chosen and state[needed] is None:
                        problems.append(
                            Problem(chosen[name].origin, message=f"imports {needed} in a circle")
                        )
                        state[needed] = False
                continue
            stack.pop()
            if state[name] is not None:
                continue
            missing = [needed for needed in imports[name] if needed not in imports]
            problems += [
                Problem(
                    chosen[name].origin,
                    message=f"imports {needed}, which no source has",
                    hint=f"add a descriptor set or a folder that holds {needed}",
                )
                for needed in missing
            ]
            state[name] = all(state.get(needed) for needed in imports[name])
            if state[name]:
                ordered.append(chosen[name])
    return ordered, problems
