"""What `serve --mock` makes of a config before anything is built."""

from __future__ import annotations

from gateway.app.mocking import UPSTREAM, mocked
from gateway.app.state import MEMORY, cache_state
from gateway.config import from_mapping


def test_nothing_that_is_made_up_gets_into_a_redis() -> None:
    data = {"state": "redis://state.internal", "cache": {"state": "redis://cache.internal"}}
    loaded = from_mapping(data, origin="test")
    changed = mocked(loaded).config
    assert (changed.state, cache_state(changed)) == (MEMORY, MEMORY)
    assert UPSTREAM in changed.upstreams
    assert loaded.config.state == "redis://state.internal", "what was read is as it was"
    assert cache_state(loaded.config) == "redis://cache.internal"
