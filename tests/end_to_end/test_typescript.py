"""The clients of `gateway generate typescript` in Node, against a gateway and the example's backends.

`typescript/scenes.ts` is compiled as strictly as TypeScript can, with what it must refuse marked in
it, and plays all scenes at once; each test here looks at one of them.
"""

import json
import subprocess
from pathlib import Path

import pytest

from services_mock.testing import start
from tests.cli.processes import invoke
from tests.end_to_end.system import ROOT, gateway, shop_config
from tests.fronts.graphql.serve.node import PACKAGES, needs_node
from tests.typescript.compiling import compiled, needs_typescript

pytestmark = [needs_node, needs_typescript]

SCENES = Path(__file__).parent / "typescript" / "scenes.ts"
WS = (PACKAGES / "node_modules" / "ws" / "wrapper.mjs").as_uri()
NOWHERE = "http://127.0.0.1:1"

ROOM_EVENTS = """
subscription RoomEvents($room: String!, $fromSequence: Int64) {
  watchRoom(room: $room, fromSequence: $fromSequence) { message { text } }
}
"""


@pytest.fixture(scope="module")
def scenes(tmp_path_factory):
    """What came of each scene."""
    folder = tmp_path_factory.mktemp("typescript")
    (folder / "operations").mkdir()
    (folder / "operations" / "room.graphql").write_text(ROOM_EVENTS)
    graphql = {
        "joins": [str(ROOT / "schema" / "joins.graphql")],
        "operations": [str(ROOT / "schema" / "operations"), str(folder / "operations")],
    }
    with (
        start() as backend,
        gateway(folder, shop_config(backend.addresses, graphql=graphql)) as served,
    ):
        assert invoke("generate", "typescript", "--out", "program/api", cwd=folder).code == 0
        (folder / "program" / "scenes.ts").write_text(SCENES.read_text())
        built = compiled(folder / "program", resolution="nodenext")
        done = subprocess.run(
            ["node", str(built / "scenes.js"), served.url, WS, NOWHERE],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def named(error, *names):
    return {name: error.get(name) for name in names}


def test_a_unary_call(scenes):
    assert (scenes["get"]["id"], scenes["get"]["sku"]) == ("p1", "TOO-0001")


def test_a_further_route_is_a_method_of_its_own(scenes):
    assert scenes["byName"] == scenes["get"]["title"]


def test_a_query_says_what_a_body_does_for_every_kind_of_field(scenes):
    found = scenes["search"]
    assert found["got"] == found["posted"]
    sent = found["sent"]
    # Fields without presence that have their default value, and empty masks, are left out.
    assert found["got"] == sent


def test_bodies_of_all_kinds_and_what_they_answer(scenes):
    titles = ["A red kite", ["toys"], "B", "C"]
    money = {"currencyCode": "EUR", "units": "6"}
    assert scenes["life"] == [*titles, ["t"], {"x": "y"}, money, {}]


def test_a_reply_that_is_a_bare_array(scenes):
    assert scenes["list"] == 2


def test_a_stream_to_its_end_and_one_that_is_left(scenes):
    assert scenes["stream"] == ["1", "2", "3"]
    assert scenes["left"] == "1"


def test_messages_with_separators_of_lines_and_paragraphs_arrive(scenes):
    assert scenes["separators"] == ["a\u2028b: \u2029c"] * 2


def test_events_are_read_wherever_their_bytes_are_cut(scenes):
    assert scenes["pieces"] == ["1", "ü:\u2028"]


def test_a_stream_that_breaks_gives_what_came_and_throws(scenes):
    assert scenes["broken"] == [["1", "2"], ["answered", "UNAVAILABLE"]]


def test_files_up_and_down_under_a_path_with_all_that_must_be_escaped(scenes):
    path = "a b/ü?#%2F/c:d.txt"
    assert scenes["files"] == {
        "path": [path, path],
        "type": "text/plain",
        "text": "hello",
        "sizes": ["5", "2", "5"],
        "print": "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824",
        "converted": "hello",
    }


@pytest.mark.parametrize("scene", ["refused", "socketRefused"])
def test_a_backends_error_has_its_details(scene, scenes):
    error = scenes[scene]
    assert named(error, "kind", "status", "code") == {
        "kind": "answered",
        "status": "NOT_FOUND",
        "code": 5,
    }
    assert error["found"]["resourceName"] == "none"


def test_an_error_of_the_gateway_has_its_reason_fields_and_request(scenes):
    assert named(scenes["invalid"], "status", "httpStatus", "reason", "fields", "known") == {
        "status": "INVALID_ARGUMENT",
        "httpStatus": 400,
        "reason": "INVALID_QUERY",
        "fields": ["pageSize"],
        "known": True,
    }


@pytest.mark.parametrize("scene", ["late", "socketLate"])
def test_the_time_of_a_call_is_the_gateways_to_keep(scene, scenes):
    assert named(scenes[scene], "kind", "status", "reason") == {
        "kind": "answered",
        "status": "DEADLINE_EXCEEDED",
        "reason": "DEADLINE_EXCEEDED",
    }


@pytest.mark.parametrize(
    ("scene", "kind", "status"),
    [
        pytest.param("nowhere", "transport", "UNAVAILABLE", id="nobody-is-there"),
        pytest.param("aborted", "aborted", "CANCELLED", id="a-call-that-is-aborted"),
        pytest.param("cut", "aborted", "CANCELLED", id="a-stream-that-is-aborted"),
        pytest.param("socketAborted", "aborted", "CANCELLED", id="a-stream-of-a-socket"),
        pytest.param("page", "unreadable", "UNKNOWN", id="a-proxys-page"),
        pytest.param("foreign", "unreadable", "UNKNOWN", id="json-of-somebody-else"),
    ],
)
def test_who_ended_a_call_is_told_apart(scene, kind, status, scenes):
    assert named(scenes[scene], "kind", "status") == {"kind": kind, "status": status}


def test_a_gateway_that_does_not_answer_in_time_is_left_two_seconds_later(scenes):
    found = scenes["unanswered"]
    assert named(found["error"], "kind", "status") == {
        "kind": "timeout",
        "status": "DEADLINE_EXCEEDED",
    }
    assert found["at"] == [3000]


def test_who_wants_to_hears_the_headers(scenes):
    assert scenes["heard"].startswith("application/json")


def test_what_no_path_can_hold_is_not_sent(scenes):
    empty, up, slash, *names = scenes["paths"]
    assert "can't be" in empty["strange"]
    assert "can't be" in up["strange"]
    assert slash["found"]["resourceName"] == "a/b"
    assert all("can't be" in each["strange"] for each in names)


def test_a_token_is_asked_for_once_more_and_a_fixed_one_is_not(scenes):
    assert scenes["tokens"]["sent"] == ["Bearer old", "Bearer new", "Bearer old"]
    assert scenes["tokens"]["fixed"]["status"] == "UNAUTHENTICATED"


def test_a_trusted_document(scenes):
    assert scenes["home"]["user"]["displayName"] == "Ada Brandt"
    assert len(scenes["home"]["featured"]["products"]) == 2


def test_a_field_that_failed_is_thrown_with_the_rest(scenes):
    error = scenes["fieldFailed"]
    assert named(error, "status", "path") == {"status": "NOT_FOUND", "path": ["user"]}
    assert error["data"]["user"] is None
    assert len(error["data"]["featured"]["products"]) == 1


def test_who_asks_for_errors_gets_the_rest(scenes):
    assert scenes["partly"] == {"user": None, "featured": 5, "seen": ["NOT_FOUND"]}


def test_a_subscription(scenes):
    assert scenes["follow"].startswith("ORDER_STATUS_")


def test_all_kinds_of_calls_over_a_socket(scenes):
    assert scenes["socketUnary"] == scenes["get"]["title"]
    assert scenes["socketStream"] == 3
    assert scenes["socketCollect"] == {"createdCount": 2}
    assert scenes["socketBoth"] == ["tess", "hello"]


def test_requests_that_are_refused_while_they_are_sent(scenes):
    error = scenes["socketCollectRefused"]
    assert named(error, "status", "fields") == {"status": "INVALID_ARGUMENT", "fields": ["path"]}


def test_what_onheaders_throws_is_thrown(scenes):
    assert scenes["overheard"] == "RangeError: mine"


def test_a_body_that_is_left_ends_the_call_and_one_that_breaks_says_so(scenes):
    # That the program ends at all shows that no timer is left.
    assert scenes["bodies"]["broken"]["kind"] == "transport"
    assert scenes["bodies"]["over"] == [True, False]
