"""docs/limits.md has every limit that has a key, with its default, and names no reason in vain."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from gateway.config import Config
from gateway.config.structure import all_keys
from gateway.errors import REASONS

PAGE = (Path(__file__).parents[2] / "docs" / "limits.md").read_text()
TABLE = PAGE.partition("\n## All limits\n")[2].partition("\n## ")[0]
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in TABLE.splitlines()
    if line.startswith("| ") and not line.startswith(("| ---", "| limit |", "| **"))
]
KEYS = {found[1]: row[1] for row in ROWS if (found := re.fullmatch(r"`([a-z_A-Z.]+)`", row[0]))}
SECTIONS = (
    *("listener.limits", "graphql.limits", "websocket.limits"),
    *("limits", "cache", "adaptive_concurrency", "usage"),
)
NO_LIMITS = {
    "limits.legacy_headers",
    "adaptive_concurrency.enabled",
    "cache.state",
    "adaptive_concurrency.priority_header",
    "usage.enabled",
}
OTHERS = {
    "upstreams.NAME.timeout",
    "upstreams.NAME.stream_timeout",
    "auth.token_cache",
    "state_timeout",
}


def test_every_key_that_is_a_limit_has_a_row():
    built = {".".join(path) for path, _ in all_keys(Config) if "*" not in path}
    limits = {key for key in built if key.rpartition(".")[0] in SECTIONS} - NO_LIMITS
    assert len(limits) > 30
    assert set(KEYS) == limits | OTHERS


@pytest.mark.parametrize("key", KEYS)
def test_the_default_is_the_models(key, schema_keys):
    path = tuple(key.replace("NAME", "*").split("."))
    schema = schema_keys.get(path) or schema_keys[tuple(p for p in path if p != "*")]
    assert yaml.safe_load(KEYS[key].strip("`")) == schema["default"]


def test_every_row_says_for_what_it_holds_and_what_comes_of_more():
    for row in ROWS:
        assert len(row) == 4, row
        assert all(row), row


def test_reasons_are_those_that_there_are():
    named = {word for row in ROWS for word in re.findall(r"`([A-Z][A-Z_]{5,})`", row[3])}
    assert named - {"LIMIT_EXCEEDED", "BAD_REQUEST"} <= REASONS.keys()  # of GraphQL
    assert len(named) > 15
