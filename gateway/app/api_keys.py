"""From a section `api_key` and its file to the provider."""

from __future__ import annotations

from gateway.app.entry_files import stored_file
from gateway.app.providers import Making
from gateway.call import Principal
from gateway.config import ConfigError
from gateway.config.entries import problem_at, read_entries
from gateway.config.models.entries import StoredKey, StoredKeys
from gateway.policies.auth.api_keys import ApiKey, ApiKeys, KeyTable, table_of


def api_keys(making: Making) -> ApiKeys:
    """Makes the provider of a section `api_key`.

    Raises:
        SettingError: Its file can't be used.
    """
    given = making.given.api_key
    assert given is not None
    key = f"auth.providers.{making.name}.api_key.keys.file"
    file = stored_file(key, given.keys.file, lambda data, name: read_keys(data, name, making.name))
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
