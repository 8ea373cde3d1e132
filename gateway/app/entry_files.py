"""From files of API keys and of users to what their providers look into."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from gateway.app.providers import Making
from gateway.app.settings import SettingError
from gateway.call import Principal
from gateway.config import ConfigError
from gateway.config.entries import problem_at, read_entries
from gateway.config.models.entries import StoredKey, StoredKeys
from gateway.policies.auth.api_keys import ApiKey, ApiKeys, KeyTable, table_of
from gateway.policies.auth.stored_file import FileError, StoredFile

_T = TypeVar("_T")

_SHOWN = 5  # mistakes of a file that are told at once


def api_keys(making: Making) -> ApiKeys:
    """Makes the provider of a section `api_key`.

    Raises:
        SettingError: Its file can't be used.
    """
    given = making.given.api_key
    assert given is not None
    key = f"auth.providers.{making.name}.api_key.keys.file"
    file = _stored(key, given.keys.file, lambda data, name: read_keys(data, name, making.name))
    return ApiKeys(making.name, given.header, file, making.now)


def read_keys(data: bytes, file: str, provider: str) -> KeyTable:
    """Returns the keys of a file.

    Args:
        data: What it holds.
        file: Its name, for errors.
        provider: The name of the provider.

    Raises:
        ConfigError: With all that is wrong.
    """
    stored, source = read_entries(data, file, StoredKeys)
    first: dict[str, str] = {}
    problems = [
        problem_at(source, ("keys", name, "hash"), f"the hash of {first[key.hash]} too")
        for name, key in stored.keys.items()
        if first.setdefault(key.hash, name) != name
    ]
    if problems:
        raise ConfigError(problems)
    return table_of(_api_key(name, key, provider) for name, key in stored.keys.items())


def _api_key(name: str, key: StoredKey, provider: str) -> ApiKey:
    principal = Principal(
        subject=key.owner,
        provider=provider,
        scopes=frozenset(key.scopes),
        roles=frozenset(key.roles),
        plan=key.plan,
        claims={**key.claims, "key_id": name},
        expires=key.expires,
    )
    digest = bytes.fromhex(key.hash.removeprefix("sha256:"))
    return ApiKey(name, digest, principal, disabled=key.disabled)


def _stored(key: str, path: Path, parse: Callable[[bytes, str], _T]) -> StoredFile[_T]:
    """Returns a file that is watched once it is opened.

    Raises:
        SettingError: It can't be used.
    """

    def parsed(data: bytes) -> _T:
        try:
            return parse(data, path.name)
        except ConfigError as wrong:
            raise FileError(_told(wrong)) from wrong

    try:
        return StoredFile(path, parsed)
    except FileError as wrong:
        raise SettingError(key, str(wrong)) from wrong


def _told(wrong: ConfigError) -> str:
    """Returns mistakes on one line: it goes into a log, or after the place of a key."""
    lines = [str(problem) for problem in wrong.problems[:_SHOWN]]
    more = len(wrong.problems) - len(lines)
    return "; ".join([*lines, *([f"and {more} more"] if more else [])])
