"""Modules are found beside the configuration; what can't be imported is told with its place."""

import sys

import pytest

from gateway.fronts.graphql.extend.modules import load
from gateway.schema.problem import SchemaError

GOOD = "from gateway.extensions import Extensions\nextensions = Extensions()\n"
NO_RETURN = """
import strawberry
from gateway.extensions import Extensions
extensions = Extensions()
@extensions.query
class Query:
    @strawberry.field
    def score(self):
        return 1
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", [*sys.path])
    for name, text in {
        "good_extension": GOOD,
        "broken_extension": "import no_such_module_at_all\n",
        "untyped_extension": NO_RETURN,
        "other_extension": "extensions = 1\n",
    }.items():
        (tmp_path / f"{name}.py").write_text(text)
    yield tmp_path
    for name in ("good_extension", "broken_extension", "untyped_extension", "other_extension"):
        sys.modules.pop(name, None)


def test_a_module_is_found_in_the_folder(folder):
    ((name, extensions),) = load(["good_extension:extensions"], [folder])
    assert name == "good_extension:extensions"
    assert extensions is sys.modules["good_extension"].extensions


def test_all_that_is_wrong_is_told_at_once(folder):
    names = [f"{each}_extension:extensions" for each in ("broken", "untyped", "other", "no_such")]
    with pytest.raises(SchemaError) as caught:
        load([*names, "good_extension:extension"], [folder])
    broken, missing, absent, other, untyped = map(str, caught.value.problems)
    assert broken == (
        f"broken_extension:extensions: can't be imported: {folder}/broken_extension.py:1: "
        "ModuleNotFoundError: No module named 'no_such_module_at_all'"
    )
    assert missing.startswith("good_extension:extension: extension is not in the module (")
    assert absent == (
        "no_such_extension:extensions: can't be imported: "
        "ModuleNotFoundError: No module named 'no_such_extension'"
    )
    assert other.startswith("other_extension:extensions: extensions is no Extensions (")
    assert untyped.startswith(
        f"untyped_extension:extensions: can't be imported: {folder}/untyped_extension.py:"
    )
    assert 'Return annotation missing for field "score"' in untyped


def test_folders_are_looked_at_last(folder):
    load(["good_extension:extensions"], [folder])
    assert sys.path[-1] == str(folder)
