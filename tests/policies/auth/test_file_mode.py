"""Which modes of files of keys and users let others do too much."""

from __future__ import annotations

import stat

import pytest

from gateway.policies.auth.file_mode import exposure


@pytest.mark.parametrize(
    ("mode", "of_keys", "of_users"),
    [
        (0o600, None, None),
        (0o400, None, None),
        (0o640, None, "read"),
        (0o644, None, "read"),
        (0o604, None, "read"),
        (0o660, "written", "written"),
        (0o602, "written", "written"),
        (0o666, "written", "written"),
    ],
    ids=lambda value: f"{value:04o}" if isinstance(value, int) else None,
)
def test_who_may_do_too_much(mode: int, of_keys: str | None, of_users: str | None) -> None:
    for passwords, what in ((False, of_keys), (True, of_users)):
        said = exposure("x.yaml", stat.S_IFREG | mode, passwords=passwords)
        if what is None:
            assert said is None
        else:
            assert said is not None
            assert f"x.yaml can be {what} by others than its owner (mode {mode:04o})" in said


def test_it_is_said_what_to_do() -> None:
    assert str(exposure("keys.yaml", 0o666, passwords=False)).endswith("; chmod go-w keys.yaml")
    assert str(exposure("users.yaml", 0o666, passwords=True)).endswith("; chmod go= users.yaml")
