"""The operation `sessions`: rows of open sockets, part by part, without secrets."""

import json

import pytest

from gateway.app.sockets import listed
from gateway.call import Principal
from gateway.fronts.roster import Roster, Told
from gateway.fronts.websocket.sessions import Sessions
from gateway.http import Headers, Request
from gateway.operations import OperationError

SECRET = "not to be told"


@pytest.fixture
def sessions():
    made = Sessions("3")
    made.roster = Roster(lambda: made.now)
    made.now = 1_000_000.0
    return made


class Sessions(Sessions):
    """One with a clock."""

    now = 0.0


def entered(sessions, principal=None, **numbers):
    headers = Headers([("authorization", f"Bearer {SECRET}"), ("cookie", SECRET)])
    request = Request("GET", "/ws", f"access_token={SECRET}", headers, "api.example", peer="::1")
    return sessions.roster.enter("multiplexed", request, lambda: Told(principal, numbers))


def test_a_row_tells_whose_it_is_and_no_secret(sessions):
    claims = {"note": SECRET}
    entered(sessions, Principal("ann", "customers", claims=claims), streams=2, credit=5)
    sessions.now += 1.5
    (row,) = listed(sessions, {}, 3)["rows"]
    assert row == {
        "id": "3.1",
        "form": "multiplexed",
        "peer": "::1",
        "host": "api.example",
        "path": "/ws",
        "since": "1970-01-12T13:46:40Z",
        "age": 1.5,
        "principal": {"provider": "customers", "subject": "ann"},
        "streams": 2,
        "credit": 5,
    }
    assert SECRET not in json.dumps(row)


def test_who_left_is_not_told(sessions):
    leave = entered(sessions)
    entered(sessions)
    leave()
    leave()
    answer = listed(sessions, {}, 0)
    assert (answer["count"], [row["id"] for row in answer["rows"]]) == (1, ["0.2"])
    assert answer["rows"][0]["principal"] is None


def test_parts_follow_each_other(sessions):
    for _ in range(5):
        entered(sessions)
    first = listed(sessions, {"limit": "2"}, 3)
    assert ([row["id"] for row in first["rows"]], first["after"]) == (["3.1", "3.2"], "3.2")
    last = listed(sessions, {"limit": "3", "after": "3.2"}, 3)
    assert [row["id"] for row in last["rows"]] == ["3.3", "3.4", "3.5"]
    assert "after" not in last
    assert last["count"] == 5


@pytest.mark.parametrize(("after", "rows"), [("2.9", 1), ("3.0", 1), ("3.1", 0), ("4.1", 0)])
def test_ids_go_by_worker_first(sessions, after, rows):
    entered(sessions)
    assert len(listed(sessions, {"after": after}, 3)["rows"]) == rows


@pytest.mark.parametrize(
    "arguments", [{"after": "x"}, {"after": "1"}, {"limit": "1001"}, {"token": "x"}]
)
def test_what_is_wrong_is_refused(sessions, arguments):
    with pytest.raises(OperationError):
        listed(sessions, arguments, 3)
