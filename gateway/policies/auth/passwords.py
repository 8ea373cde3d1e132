"""Checks passwords against argon2id hashes, in few threads and with few waiting.

A look takes tens of milliseconds of a core and tens of megabytes, by design. So only some are made
at once, in threads of their own (argon2 runs without Python's lock), only some more may wait, and
what comes beyond these is refused at once: whoever floods the gateway with logins gets no more of
it than that.

Whose password it is, and who may try, is not decided here.
"""

from __future__ import annotations

import asyncio
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from secrets import token_bytes
from typing import Final

from argon2 import PasswordHasher, Type, extract_parameters
from argon2.exceptions import VerificationError, VerifyMismatchError

from gateway.errors import error

THREADS: Final = 2
WAITING: Final = 64

# OWASP's "Password Storage Cheat Sheet": argon2id with 19 MiB, two passes, one lane. It takes
# 7 MiB with five passes for as good, and less memory for weak.
_HASHER: Final = PasswordHasher(
    time_cost=2, memory_cost=19 * 1024, parallelism=1, hash_len=32, salt_len=16, type=Type.ID
)
_LEAST_MEMORY: Final = 7 * 1024
_LEAST_WORK: Final = 5 * _LEAST_MEMORY


def hash_password(password: str) -> str:
    """Returns a password's hash in the form of argon2's reference. Takes tens of milliseconds."""
    return _HASHER.hash(password)


def is_weak(stored: str) -> bool:
    """Whether a hash is of less work than is thought enough."""
    found = extract_parameters(stored)
    work = found.memory_cost * found.time_cost
    return found.memory_cost < _LEAST_MEMORY or work < _LEAST_WORK


def stand_in(like: str | None) -> str:
    """Returns the hash of nothing that anybody knows, which takes as long to look at as another.

    Args:
        like: The other; None for that of a new password.
    """
    found = _HASHER if like is None else extract_parameters(like)
    costs = f"m={found.memory_cost},t={found.time_cost},p={found.parallelism}"
    salt, digest = (_encoded(token_bytes(size)) for size in (found.salt_len, found.hash_len))
    return f"$argon2id$v=19${costs}${salt}${digest}"


def matches(stored: str, password: str) -> bool:
    """Whether a password is that of a hash. Takes tens of milliseconds."""
    try:
        return _HASHER.verify(stored, password)
    except VerifyMismatchError:
        return False


def _encoded(data: bytes) -> str:
    return b64encode(data).decode("ascii").rstrip("=")


class PasswordPool:
    """The threads that look.

    Args:
        threads: Looks at once.
        waiting: Those that may wait for them.
    """

    def __init__(self, threads: int = THREADS, waiting: int = WAITING) -> None:
        self._threads = ThreadPoolExecutor(threads, "passwords")
        self._most = threads + waiting
        self._taken = 0
        self._closed = False

    def reserve(self) -> None:
        """Takes a place, for one `matches`.

        Raises:
            RpcError: AUTHENTICATION_UNAVAILABLE: there is none.
        """
        if self._closed or self._taken >= self._most:
            text = "Too many passwords wait to be checked; try again."
            raise error("AUTHENTICATION_UNAVAILABLE", text, retry_after=1)
        self._taken += 1

    def release(self) -> None:
        """Gives a place back that is not used."""
        self._taken -= 1

    async def matches(self, stored: str, password: str) -> bool:
        """Whether a password is that of a hash, in the place that was taken.

        Raises:
            RpcError: AUTHENTICATION_UNAVAILABLE: it could not be looked at.
        """
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._threads, matches, stored, password)
        except (VerificationError, RuntimeError) as failure:  # no memory; or closed meanwhile
            text = "The password can't be checked now."
            raise error("AUTHENTICATION_UNAVAILABLE", text, retry_after=1) from failure
        finally:
            self.release()

    def close(self) -> None:
        """Takes no more; what waits is still looked at."""
        self._closed = True
        self._threads.shutdown(wait=False)
