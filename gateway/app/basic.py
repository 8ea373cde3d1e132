"""From a section `basic` and its file to the provider."""

from __future__ import annotations

import logging
import time
from typing import Final

from gateway.app.entry_files import stored_file
from gateway.app.providers import Making
from gateway.call import Principal
from gateway.config.entries import read_entries
from gateway.config.models.entries import StoredUser, StoredUsers
from gateway.fronts.cross_site import is_own_doing
from gateway.policies.auth.basic import Basic, User, UserTable
from gateway.policies.auth.passwords import is_weak

log = logging.getLogger("gateway.auth")

_SHOWN: Final = 5  # names that are told at once


def basic(making: Making) -> Basic:
    """Makes the provider of a section `basic`.

    Raises:
        SettingError: Its file can't be used.
    """
    given = making.given.basic
    assert given is not None
    key = f"auth.providers.{making.name}.basic.users.file"
    file = stored_file(
        key,
        given.users.file,
        lambda data, name: read_users(data, name, making.name),
        passwords=True,
    )
    return Basic(making.name, file, time.monotonic, is_own_doing=is_own_doing)


def read_users(data: bytes, file: str, provider: str) -> UserTable:
    """Returns the users of a file. Logs whose password should be set again.

    Args:
        data: What it holds.
        file: Its name, for errors.
        provider: The name of the provider.

    Raises:
        ConfigError: With all that is wrong.
    """
    stored, _ = read_entries(data, file, StoredUsers)
    if weak := [name for name, user in stored.users.items() if is_weak(user.hash)]:
        more = "" if len(weak) <= _SHOWN else f" and {len(weak) - _SHOWN} more"
        log.warning(
            "%s: the hashes of %s%s cost too little work to guess at; set their passwords again",
            file,
            ", ".join(weak[:_SHOWN]),
            more,
        )
    return UserTable({name: _user(name, user, provider) for name, user in stored.users.items()})


def _user(name: str, user: StoredUser, provider: str) -> User:
    principal = Principal(
        subject=name,
        provider=provider,
        scopes=frozenset(user.scopes),
        roles=frozenset(user.roles),
        plan=user.plan,
        claims=dict(user.claims),
    )
    return User(user.hash, principal, disabled=user.disabled)
