"""What several workers tell becomes one."""

from gateway.supervisor import told
from gateway.supervisor.merging import ALIKE, LOOKS, MERGES


def test_every_operation_that_all_are_asked_can_be_merged():
    assert not set(MERGES) & ALIKE
    assert set(LOOKS) - {"metrics"} <= set(MERGES)


def test_all_drain_or_none_does():
    answers = [{"draining": True, "connections": 1}, {"draining": False, "connections": 2}]
    assert told.drained(answers) == {"draining": False, "connections": 3}


def test_a_warning_is_told_once():
    answers = [{"warnings": ["a", "b"]}, {"warnings": ["b", "c"]}, {"warnings": []}]
    assert told.warned(answers) == {"warnings": ["a", "b", "c"]}


def test_the_newest_config_is_told_and_which_each_has():
    old = {"digest": "1", "generation": 1, "loaded_at": "2026-11-21T10:00:00Z", "config": {"a": 1}}
    new = {"digest": "2", "generation": 2, "loaded_at": "2026-11-21T11:00:00Z", "config": {"a": 2}}
    found = told.newest_config([old, new])
    assert (found["digest"], found["config"]) == ("2", {"a": 2})
    assert [(each["digest"], each["generation"]) for each in found["workers"]] == [
        ("1", 1),
        ("2", 2),
    ]


def test_a_worker_that_was_restarted_with_the_config_before_is_not_the_newest():
    old = {"digest": "1", "generation": 1, "loaded_at": "2026-11-21T12:00:00Z", "config": {"a": 1}}
    new = {"digest": "2", "generation": 2, "loaded_at": "2026-11-21T11:00:00Z", "config": {"a": 2}}
    assert told.newest_config([old, new])["digest"] == "2"


def answer(*ids, count=0, limit=2, **more):
    rows = [{"id": each} for each in ids]
    return {"count": count or len(ids), "waiting": 1, "limit": limit, "rows": rows, **more}


def test_sockets_are_in_the_order_of_workers_and_numbers():
    found = told.sessions([answer("10.2"), answer("2.10"), answer("2.9", limit=2)])
    assert [each["id"] for each in found["rows"]] == ["2.9", "2.10"]
    assert (found["count"], found["waiting"], found["after"]) == (3, 3, "2.10")


def test_where_all_are_told_there_is_nothing_after():
    found = told.sessions([answer("1.1"), answer()])
    assert "after" not in found


def test_what_a_worker_has_more_of_is_asked_for_later():
    found = told.sessions([answer("1.1", "1.2", count=5, after="1.2"), answer()])
    assert (found["count"], found["after"]) == (5, "1.2")
