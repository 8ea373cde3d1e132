"""What several workers answer becomes one answer."""

from gateway.supervisor.merging import summed


def test_what_each_did_adds_up():
    assert summed([{"purged": 1, "kept": 2}, {"purged": 3}]) == {"purged": 4, "kept": 2}


def test_one_worker_s_answer_is_its_own():
    assert summed([{"purged": 1}]) == {"purged": 1}
