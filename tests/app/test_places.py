"""Where a line says that something is wrong."""

from gateway.app.places import of_key
from gateway.config import load


def test_a_key_has_its_line_and_one_that_is_not_written_that_of_the_file(tmp_path):
    path = tmp_path / "gateway.yaml"
    path.write_text("listener:\n  address: 127.0.0.1:0\nlimits:\n  keys: 2000\n")
    source = load(path).source
    assert of_key(("limits", "keys"), "odd", source) == f"{path}:4:3: limits.keys: odd"
    assert of_key(("plans",), "none", source) == f"{path}:1:1: plans: none"
