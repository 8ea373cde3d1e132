"""The examples in docs/routing.md are right."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from gateway.config import json_schema
from gateway.config.document import Builder, compose
from gateway.config.tree import plain

PAGE = (Path(__file__).parents[2] / "docs" / "routing.md").read_text()
EXAMPLES = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)


def test_there_are_some():
    assert len(EXAMPLES) >= 4


@pytest.mark.parametrize("text", EXAMPLES)
def test_examples_are_right(text, read):
    read(text)
    tree = Builder("routing.md", {}).build(compose(text))  # to YAML 1.1, days would be no texts
    Draft202012Validator(json_schema()).validate(plain(tree))
