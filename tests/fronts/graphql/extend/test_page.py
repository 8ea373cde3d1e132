"""The page's examples run: its Python is one module, and each query answers what stands below it."""

import json
import re
import sys
import types
from itertools import pairwise

import pytest

from tests.fronts.graphql.extend.asking import Asking
from tests.fronts.graphql.graphs import ROOT

PAGE = (ROOT / "docs" / "graphql-extensions.md").read_text()
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
SHOWN = [(text, below) for (kind, text), (_, below) in pairwise(BLOCKS) if kind == "graphql"]


@pytest.fixture(scope="module")
def asking():
    module = types.ModuleType("bookshop")
    sys.modules["bookshop"] = module
    exec("\n".join(text for kind, text in BLOCKS if kind == "python"), vars(module))
    yield Asking(module.extensions)
    del sys.modules["bookshop"]


def values(text):
    """The JSON values of a block."""
    decoder, found = json.JSONDecoder(), []
    while text := text.strip():
        value, end = decoder.raw_decode(text)
        found.append(value)
        text = text[end:]
    return found


@pytest.mark.parametrize(("query", "answers"), SHOWN, ids=[query.strip() for query, _ in SHOWN])
async def test_an_example_answers_what_is_shown(asking, query, answers):
    if query.startswith("subscription"):
        events = []

        async def emit(data):
            events.append(json.loads(data))

        await asking.engine.subscribe(asking.prepare(query), emit)
        assert events == values(answers)
    else:
        assert [await asking.response(query)] == values(answers)


def test_every_query_has_its_answer():
    assert len(SHOWN) == len([kind for kind, _ in BLOCKS if kind == "json"]) == 4
