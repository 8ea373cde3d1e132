"""What is wrong is told in the order of the lines, file by file."""

import pytest

from gateway.app.build_error import BuildError


@pytest.mark.parametrize(
    ("given", "told"),
    [
        pytest.param(["a:9:1: x", "a:10:1: y", "a:2:5: z"], "zxy", id="by line, as numbers"),
        pytest.param(["a:2:9: x", "a:2:5: y"], "yx", id="by column"),
        pytest.param(["b:9:1: x", "a:1:1: y", "b:2:1: z"], "zxy", id="files stay together"),
        pytest.param(["p.proto:9: x", "p.proto:3: y"], "yx", id="protos have no columns"),
        pytest.param(["a:9:1: x", "nothing: y", "a:2:1: z"], "zxy", id="what has no line"),
        pytest.param(["a:2:1: x", "a:2:1: y"], "xy", id="equal ones stay as they were"),
    ],
)
def test_the_order(given, told):
    assert "".join(line[-1] for line in BuildError(given).problems) == told
