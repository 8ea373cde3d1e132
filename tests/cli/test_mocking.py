"""The options of `serve --mock`: what they mean, and what is said of those that mean nothing."""

from __future__ import annotations

import pytest
import typer

from gateway.cli.mocking import mocking_of
from gateway.config import Mocking

USUAL = {
    "on": True,
    "seed": "0",
    "files": None,
    "latency": "0s",
    "errors": "0%",
    "interval": "200ms",
}


def test_without_mock_nothing_is_made_up():
    assert mocking_of(**USUAL | {"on": False}) is None
    assert mocking_of(**USUAL) == Mocking()


def test_each_option_has_its_meaning(tmp_path):
    given = {
        "seed": "x",
        "files": tmp_path,
        "latency": "20ms-1s",
        "errors": "1.5%",
        "interval": "0s",
    }
    assert mocking_of(**USUAL | given) == Mocking("x", str(tmp_path), (0.02, 1.0), 1.5, 0.0)
    assert mocking_of(**USUAL | {"latency": "50ms"}).latency == (0.05, 0.05)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"on": False, "seed": "1"}, "goes with --mock"),
        ({"errors": "101%"}, "expected a share such as 1%"),
        ({"errors": "some"}, "expected a share such as 1%"),
        ({"latency": "2s-1s"}, "ends before it begins"),
        ({"latency": "soon"}, "--mock-latency: found 'soon', expected a duration"),
        ({"interval": "-1s"}, "--mock-interval: found"),
    ],
)
def test_what_means_nothing_is_refused(given, said):
    with pytest.raises(typer.BadParameter, match=said):
        mocking_of(**USUAL | given)


def test_a_folder_of_answers_must_be_one(tmp_path):
    with pytest.raises(typer.BadParameter, match="is no folder"):
        mocking_of(**USUAL | {"files": tmp_path / "nowhere"})
