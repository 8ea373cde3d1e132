"""Who may call, as data: conditions whose layout is no change."""

import pytest

from gateway.app.reach import without_layout


@pytest.mark.parametrize(
    ("said", "condition"),
    [
        pytest.param(None, "", id="none"),
        pytest.param("a ==  b\n  && c\n", "a == b && c", id="white space between tokens"),
        pytest.param("a // of b\n && c", "a && c", id="comments"),
        pytest.param("a == 'b  c'", "a == 'b  c'", id="not in texts"),
        pytest.param(r'a == "b\"  c"  ', r'a == "b\"  c"', id="nor behind quotes in texts"),
        pytest.param('a  == r"b\\"  && c', 'a == r"b\\" && c', id="raw texts have no escapes"),
        pytest.param('a == """b\n "c"\n"""', 'a == """b\n "c"\n"""', id="texts of several lines"),
        pytest.param("a == 'http://b'", "a == 'http://b'", id="no comment in a text"),
    ],
)
def test_layout_is_no_part_of_a_condition(said, condition):
    assert without_layout(said) == condition
