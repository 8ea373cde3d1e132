"""The memory that workers share: there before them, and after them."""

import os

import pytest

from gateway.state.table import Table
from gateway.supervisor.memory import SharedMemory


@pytest.fixture(params=["memory", "file"])
def memory(request, monkeypatch, tmp_path):
    if request.param == "file":
        monkeypatch.delattr(os, "memfd_create", raising=False)
        monkeypatch.setenv("TMPDIR", str(tmp_path))
        monkeypatch.setattr("tempfile.tempdir", None)
    made = SharedMemory(5000)
    yield made
    made.close()


def test_workers_find_a_table_in_it(memory):
    one, other = Table.attach(memory.fileno()), Table.attach(memory.fileno())
    assert one.keys == 5000
    tag, where = one.locate("key")
    assert one.find(tag, where) == -1
    one.insert(tag, where, (9.0, 0.0, 0.0), 1, 0.0)
    assert other.find(tag, where) >= 0
    one.close()
    other.close()


def test_nobody_inherits_it_who_is_not_told_to(memory):
    assert not os.get_inheritable(memory.fileno())


def test_no_file_is_left(memory, tmp_path):
    assert list(tmp_path.iterdir()) == []
    memory.close()
    memory.close()
    assert memory.fileno() == -1
