"""What several workers keep of requests, as one."""

from gateway.supervisor import recorded

KEPT = {
    "since": 1.0, "seen": 2, "places": 10, "failures": 1, "others": 1, "left_out": 0, "sample": 0.1,
}  # fmt: skip


def rows(*times):
    return [{"time": time} for time in times]


def test_what_is_kept_is_counted_together_since_the_last_began():
    told = recorded.kept([{"kept": KEPT}, {"kept": {**KEPT, "since": 5.0, "left_out": 3}}])
    assert told == {
        "since": 5.0, "seen": 4, "places": 20, "failures": 2, "others": 2, "left_out": 3,
        "sample": 0.1,
    }  # fmt: skip


def test_rows_are_in_order_whoever_has_them():
    answers = [
        {"rows": rows(1, 4), "kept": KEPT, "limit": 3, "missed": 1},
        {"rows": rows(3, 2), "kept": KEPT, "limit": 3, "missed": 2},
    ]
    assert recorded.why(answers)["rows"] == rows(4, 3, 2, 1)
    assert recorded.recent(answers)["rows"] == rows(4, 3, 2)
    assert recorded.tap(answers) == {"rows": rows(1, 2, 3, 4), "missed": 3}


def test_of_a_reload_one_tells():
    answers = [{"rows": [], "kept": KEPT, "reload": {"refused": False}}] * 2
    assert recorded.why(answers)["reload"] == {"refused": False}


def test_a_reload_is_told_of_where_nothing_is_kept_of_requests():
    told = {"rows": [], "kept": None, "reload": {"refused": True}}
    assert recorded.why([told, told]) == told
    assert recorded.kept([told, {"kept": KEPT}]) == KEPT
