"""The examples in docs/limits.md are right."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from gateway.config import json_schema

PAGE = (Path(__file__).parents[2] / "docs" / "limits.md").read_text()
EXAMPLES = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)


def test_there_are_some():
    assert len(EXAMPLES) >= 2


@pytest.mark.parametrize("text", EXAMPLES)
def test_examples_are_right(text, read):
    read(text)
    Draft202012Validator(json_schema()).validate(yaml.safe_load(text))
