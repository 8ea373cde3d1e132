"""Names and passwords: who is known, at which cost, and for how long."""

from __future__ import annotations

import asyncio
import logging
import threading
from base64 import b64encode
from pathlib import Path

import pytest
from argon2 import PasswordHasher, extract_parameters

from gateway.call import Call, Deadline, Principal, RpcError
from gateway.fronts.cross_site import is_own_doing
from gateway.policies.auth import passwords
from gateway.policies.auth.basic import Basic, User, UserTable
from gateway.policies.auth.passwords import PasswordPool
from gateway.policies.auth.provider import BadCredentials
from gateway.policies.auth.stored_file import StoredFile
from tests.policies.auth.callers import call, head

CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
CHEAPER = PasswordHasher(time_cost=1, memory_cost=16, parallelism=1)
ADA = User(CHEAP.hash("open sesame"), Principal("ada", "ops", roles=frozenset({"admin"})))
BOB = User(CHEAPER.hash("secret"), Principal("bob", "ops"))
EVE = User(CHEAP.hash("secret"), Principal("eve", "ops"), disabled=True)
HERE, THERE = "203.0.113.7", "198.51.100.9"


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


class Users:
    """A file of users that a test may change."""

    def __init__(self, path: Path) -> None:
        self.now = {"ada": ADA, "bob": BOB, "eve": EVE}
        self._path = path
        self._written = 0
        self._write()
        self.file = StoredFile(path, lambda _: UserTable(self.now))

    def _write(self) -> None:
        self._written += 1
        self._path.write_text("." * self._written)

    def change(self, **users: User) -> None:
        self.now = users
        self._write()
        self.file.look()


@pytest.fixture
def users(tmp_path) -> Users:
    return Users(tmp_path / "users")


@pytest.fixture
def looks(monkeypatch) -> list[str]:
    """The hashes that were looked at, in order."""
    found: list[str] = []
    really = passwords.matches

    def matches(stored: str, password: str) -> bool:
        found.append(stored)
        return really(stored, password)

    monkeypatch.setattr(passwords, "matches", matches)
    return found


@pytest.fixture
async def provider(users, clock):
    made = Basic("ops", users.file, clock, is_own_doing=is_own_doing)
    await made.open()
    yield made
    await made.close()


def field(name: str, password: str) -> tuple[str, str]:
    return "authorization", f"Basic {b64encode(f'{name}:{password}'.encode()).decode()}"


def shows(name: str, password: str, peer: str = HERE) -> Call:
    return call(field(name, password), peer=peer)


async def who(provider: Basic, made: Call) -> Principal:
    """Asks as the gate does."""
    known = provider.known(made)
    if known is not None:
        return known
    pending = provider.identify(made)
    assert pending is not None
    return await pending


async def refusal(provider: Basic, made: Call) -> BadCredentials:
    with pytest.raises(BadCredentials) as failure:
        await who(provider, made)
    return failure.value


async def locked_out(provider: Basic, made: Call) -> bool:
    try:
        await who(provider, made)
    except BadCredentials:
        return False
    except RpcError as failure:
        assert failure.reason == "LOCKED_OUT"
        return True
    return False


async def test_the_right_password_is_its_users(provider):
    assert await who(provider, shows("ada", "open sesame")) == ADA.principal


async def test_a_call_without_such_a_field_is_not_its_to_judge(provider):
    for made in (call(), call(("authorization", "Bearer x")), Call("a.B/C")):
        assert provider.known(made) is None
        assert provider.identify(made) is None
    assert not provider.carried(head(("authorization", "Bearer x")))
    assert provider.carried(head(field("ada", "x")))


async def test_whatever_is_wrong_has_the_same_answer(provider):
    answers = {
        (await refusal(provider, shows(*pair))).text
        for pair in [("ada", "wrong"), ("nobody", "wrong"), ("eve", "secret"), ("eve", "wrong")]
    }
    malformed = call(("authorization", "Basic ???"))
    two = call(field("ada", "open sesame"), field("ada", "open sesame"))
    answers |= {(await refusal(provider, made)).text for made in (malformed, two)}
    assert answers == {"The name or the password is wrong."}


async def test_nothing_that_is_logged_says_what_was_shown(provider):
    for made in (shows("nobody", "hunter2"), shows("ada", "hunter2")):
        why = (await refusal(provider, made)).why
        assert why == "a wrong password, or an unknown user"
    assert "sesame" not in repr(ADA) + repr(provider)
    assert ADA.hash not in repr(ADA)


@pytest.mark.parametrize("name", ["ada", "eve", "nobody"], ids=["known", "disabled", "unknown"])
async def test_a_name_costs_a_look_whether_it_exists_or_not(provider, looks, name):
    await refusal(provider, shows(name, "wrong"))
    assert len(looks) == 1
    assert extract_parameters(looks[0]) in map(extract_parameters, (ADA.hash, BOB.hash))


async def test_unknown_names_cost_what_those_of_users_do(provider, looks):
    """Else the time would tell who exists, where hashes of two costs are in one file."""
    for number in range(40):
        await refusal(provider, shows(f"nobody{number}", "x", f"192.0.2.{number}"))
        await refusal(provider, shows(f"nobody{number}", "y", f"192.0.2.{number}"))
    costs = [extract_parameters(each).memory_cost for each in looks]
    assert set(costs) == {8, 16}
    assert costs[::2] == costs[1::2]  # a name has the same each time


CROSS_SITE = [
    pytest.param([("sec-fetch-site", "cross-site")], id="as browsers say"),
    pytest.param([("origin", "https://evil.example")], id="as older browsers say"),
]


@pytest.mark.parametrize("said", CROSS_SITE)
@pytest.mark.parametrize("again", [False, True], ids=["first", "remembered"])
async def test_another_sites_page_can_not_use_a_password_that_a_browser_keeps(
    provider, looks, said, again
):
    if again:
        await who(provider, shows("ada", "open sesame"))
    made = call(field("ada", "open sesame"), *said, peer=HERE)
    assert provider.known(made) is None
    with pytest.raises(RpcError) as failure:
        provider.identify(made)
    assert failure.value.reason == "CROSS_SITE_REQUEST"
    assert len(looks) == again


async def test_without_any_user_it_costs_what_a_new_one_would(provider, users, looks):
    users.change()
    await refusal(provider, shows("nobody", "x"))
    assert extract_parameters(looks[0]).memory_cost == 19456


async def test_a_pair_that_was_right_is_not_looked_at_again_for_five_minutes(
    provider, looks, clock
):
    made = shows("ada", "open sesame")
    assert provider.known(made) is None
    await who(provider, made)
    clock.now += 299
    assert provider.known(made) == ADA.principal
    assert len(looks) == 1
    clock.now += 1
    assert provider.known(made) is None
    await who(provider, made)
    assert len(looks) == 2


async def test_it_is_taken_only_from_where_it_was_right(provider):
    await who(provider, shows("ada", "open sesame", HERE))
    assert provider.known(shows("ada", "open sesame", THERE)) is None


async def test_a_pair_that_was_wrong_is_looked_at_each_time(provider, looks):
    for _ in range(3):
        await refusal(provider, shows("ada", "wrong"))
    assert len(looks) == 3


NEW = User(CHEAP.hash("new"), Principal("ada", "ops"))


@pytest.mark.parametrize(
    "users_now",
    [{}, {"ada": NEW}, {"ada": User(ADA.hash, ADA.principal, disabled=True)}],
    ids=["removed", "another password", "disabled"],
)
async def test_a_change_of_the_file_ends_what_is_remembered(provider, users, users_now):
    made = shows("ada", "open sesame")
    await who(provider, made)
    users.change(**users_now)
    await refusal(provider, made)


async def test_another_users_change_does_not(provider, users):
    made = shows("ada", "open sesame")
    await who(provider, made)
    promoted = Principal("ada", "ops", roles=frozenset({"clerk"}))
    users.change(ada=User(ADA.hash, promoted))
    assert provider.known(made) == promoted  # her roles are those that the file says now


async def test_what_is_remembered_is_bounded(users, clock):
    provider = Basic("ops", users.file, clock, is_own_doing=is_own_doing, most=3)
    made = [shows("ada", "open sesame", f"192.0.2.{number}") for number in range(5)]
    for each in made:
        await who(provider, each)
    assert [provider.known(each) is not None for each in made] == [False] * 2 + [True] * 3
    await provider.close()


async def test_those_who_show_the_same_at_once_share_a_look(provider, looks):
    made = [shows("ada", "open sesame") for _ in range(20)]
    assert await asyncio.gather(*(who(provider, each) for each in made)) == [ADA.principal] * 20
    assert len(looks) == 1


SPELLINGS = [
    "Basic YW5uOnJpZ2g=",
    "Basic YW5uOnJpZ2h=",
    "basic YW5uOnJpZ2g=",
    "Basic   YW5uOnJpZ2g=",
]


async def test_however_a_pair_is_spelled_it_costs_one_look(provider, users, looks):
    users.change(ann=User(CHEAP.hash("righ"), Principal("ann", "ops")))
    made = [call(("authorization", each)) for each in SPELLINGS]
    found = await asyncio.gather(*(who(provider, each) for each in made))
    assert {each.subject for each in found} == {"ann"}
    assert all(provider.known(each) is not None for each in made)
    assert len(looks) == 1


async def test_a_client_that_leaves_ends_no_look_of_others(provider, looks):
    first = asyncio.create_task(who(provider, shows("ada", "open sesame")))
    await asyncio.sleep(0)
    second = asyncio.create_task(who(provider, shows("ada", "open sesame")))
    await asyncio.sleep(0)
    first.cancel()
    assert await second == ADA.principal
    assert len(looks) == 1


async def test_a_guess_counts_though_its_client_leaves(provider, looks):
    for number in range(10):
        provider.identify(shows("ada", f"guess{number}"))  # nobody waits for the answer
    while provider._looks:
        await asyncio.sleep(0.001)
    assert await locked_out(provider, shows("ada", "open sesame"))


@pytest.mark.parametrize("name", ["ada", "nobody"], ids=["that exists", "that does not"])
async def test_guesses_at_a_name_lock_it_there(provider, looks, clock, name):
    for number in range(10):
        await refusal(provider, shows(name, f"guess{number}"))
    assert await locked_out(provider, shows(name, "open sesame"))
    assert len(looks) == 10
    assert not await locked_out(provider, shows(name, "x", THERE))
    clock.now += 60
    assert not await locked_out(provider, shows(name, "x"))


async def test_a_lock_does_not_hold_for_who_is_remembered(provider):
    made = shows("ada", "open sesame")
    await who(provider, made)
    for number in range(10):
        await refusal(provider, shows("ada", f"guess{number}"))
    assert await locked_out(provider, shows("ada", "another"))
    assert await who(provider, made) == ADA.principal


async def test_a_lock_that_is_guessed_on_through_holds_for_all_there(provider, caplog):
    """What is remembered would else answer guesses without end."""
    caplog.set_level(logging.WARNING, "gateway.auth")
    made, elsewhere = shows("ada", "open sesame"), shows("ada", "open sesame", THERE)
    await who(provider, made)
    await who(provider, elsewhere)
    for number in range(109):
        await locked_out(provider, shows("ada", f"guess{number}"))
    assert await who(provider, made) == ADA.principal
    await locked_out(provider, shows("ada", "guess109"))
    assert await locked_out(provider, made)
    assert await who(provider, elsewhere) == ADA.principal
    assert caplog.messages == [f"somebody at {HERE} goes on guessing a password while locked out"]


async def test_where_too_many_wait_it_is_unavailable_and_nobodys_failure(users, clock, monkeypatch):
    go = threading.Event()
    monkeypatch.setattr(passwords, "matches", lambda *_: go.wait(10))
    pool = PasswordPool(threads=1, waiting=1)
    provider = Basic("ops", users.file, clock, is_own_doing=is_own_doing, pool=pool)
    first = [provider.identify(shows("ada", "x")), provider.identify(shows("bob", "y"))]
    with pytest.raises(RpcError) as failure:
        provider.identify(shows("eve", "z"))
    assert failure.value.reason == "AUTHENTICATION_UNAVAILABLE"
    go.set()
    assert await first[0] == ADA.principal
    assert await first[1] == BOB.principal
    await provider.close()


async def test_the_deadline_of_a_call_ends_its_waiting_only(users, clock, monkeypatch):
    go = threading.Event()
    monkeypatch.setattr(passwords, "matches", lambda *_: go.wait(10))
    provider = Basic("ops", users.file, clock, is_own_doing=is_own_doing)
    made = shows("ada", "open sesame")
    made.deadline = Deadline(asyncio.get_running_loop().time() + 0.01)
    with pytest.raises(RpcError) as failure:
        async with asyncio.timeout(5):
            await who(provider, made)
    assert failure.value.reason == "DEADLINE_EXCEEDED"
    go.set()
    assert await who(provider, shows("ada", "open sesame")) == ADA.principal
    await provider.close()


async def test_a_look_that_fails_is_unavailable_and_nobodys_failure(provider, monkeypatch):
    def no_memory(*_):
        raise passwords.VerificationError("Memory allocation error")

    with monkeypatch.context() as patched:
        patched.setattr(passwords, "matches", no_memory)
        for _ in range(20):
            with pytest.raises(RpcError) as failure:
                await who(provider, shows("ada", "open sesame"))
            assert failure.value.reason == "AUTHENTICATION_UNAVAILABLE"
    assert await who(provider, shows("ada", "open sesame")) == ADA.principal
