"""YAML as text: positions, limits, and what of YAML is not taken."""

import pytest

from gateway.config import document
from gateway.config.document import Builder, DocumentError, compose
from gateway.config.tree import plain


def values(text):
    builder = Builder("f", {})
    tree = builder.build(compose(text))
    return plain(tree), [str(problem) for problem in builder.problems]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        pytest.param("true", True, id="true"),
        pytest.param("False", False, id="False"),
        pytest.param("yes", "yes", id="yes is a text"),
        pytest.param("on", "on", id="on is a text"),
        pytest.param("10", 10, id="a number"),
        pytest.param("-10", -10, id="a negative number"),
        pytest.param("010", 10, id="no octal"),
        pytest.param("0x10", "0x10", id="no hexadecimal"),
        pytest.param("1_000", "1_000", id="no underscores"),
        pytest.param("12:30", "12:30", id="no sexagesimal"),
        pytest.param("1.5", 1.5, id="a fraction"),
        pytest.param(".inf", ".inf", id="no infinity"),
        pytest.param("2027-06-30", "2027-06-30", id="no dates"),
        pytest.param("~", None, id="null"),
        pytest.param("'10'", "10", id="quoted is a text"),
        pytest.param("[a, [b]]", ["a", ["b"]], id="lists"),
        pytest.param("{on: 1, 2: x}", {"on": 1, "2": "x"}, id="names are texts"),
        pytest.param("- &a {b: 1}\n- *a", [{"b": 1}, {"b": 1}], id="an alias"),
    ],
)
def test_values(text, value):
    found, problems = values(text)
    assert found == value
    assert type(found) is type(value)
    assert problems == []


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param("a: 1\nb: 2\na: 3", "f:3:1: a: set twice; first at f:1:1", id="twice"),
        pytest.param("a: {b: 1, b: 2}", "f:1:11: a.b: set twice; first at f:1:5", id="twice below"),
        pytest.param("a: !!python/none x", "f:1:4: a: a tag (!name) is not allowed", id="python"),
        pytest.param("a: !x {}", "f:1:4: a: a tag (!name) is not allowed", id="own tag"),
        pytest.param("a: !x []", "f:1:4: a: a tag (!name) is not allowed", id="own tag of a list"),
        pytest.param("a: !!int x", "f:1:4: a: a tag (!name) is not allowed", id="a lie"),
        pytest.param("a: !!binary eA==", "f:1:4: a: a tag (!name) is not allowed", id="binary"),
        pytest.param(
            "? [a]\n: 1", "f:1:3: a list or mapping as a key; expected a name", id="list as key"
        ),
        pytest.param(
            'a: "\\uD800"', "f:1:4: a: half a character (a surrogate) in the text", id="surrogate"
        ),
        pytest.param(
            '"\\uD800": 1', "f:1:1: a key with half a character in it", id="key surrogate"
        ),
    ],
)
def test_refused_values(text, problem):
    assert values(text)[1] == [problem]


BOMB = "a: &a [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{new}: &{new} [{','.join([f'*{old}'] * 10)}]\n"
    for old, new in zip("abcdef", "bcdefg", strict=True)
)


@pytest.mark.parametrize(
    ("text", "line", "column", "message"),
    [
        pytest.param("a: b: c", 1, 5, 'unexpected ":"', id="colon"),
        pytest.param("a:\n\t- b", 2, 1, "indent with spaces", id="tab"),
        pytest.param("a: 1\n b: 2", 2, 3, 'unexpected ":"', id="indented under a scalar"),
        pytest.param("a:\n   b: 1\n  c: 2", 3, 3, "wrong indentation", id="indentation"),
        pytest.param("a: [1, 2", 1, 9, 'expected "," or "]"', id="open list"),
        pytest.param("a: {b: 1", 1, 9, 'expected "," or "}"', id="open mapping"),
        pytest.param("a: 'b", 1, 6, "inside quotes", id="open quote"),
        pytest.param("a: *b", 1, 4, "without an anchor", id="unknown alias"),
        pytest.param("a: [*]", 1, 6, "must be quoted", id="a star"),
        pytest.param("a: 1\n---\nb: 2", 2, 1, "a second document", id="two documents"),
        pytest.param("a: \x07", 1, 4, "U\\+0007 is not allowed", id="control character"),
        pytest.param("a: 1\nb: \x00", 2, 4, "U\\+0000 is not allowed", id="NUL"),
        pytest.param('a: "\\UFFFFFFFF"', 1, 1, "out of range", id="escape out of range"),
        pytest.param("%YAML 1." + "9" * 5000 + "\n---\na", 1, 1, "out of range", id="directive"),
        pytest.param("[" * 100_000, 1, 65, "nested deeper than 64", id="deep"),
        pytest.param("a: &a [*a]", 1, 4, "more than 64 levels", id="an alias inside itself"),
        pytest.param(BOMB, 1, 8, "more than 100000 values", id="a billion laughs"),
        pytest.param("#" * (document.MAX_SIZE + 1), 1, 1, "larger than", id="size"),
    ],
)
def test_unreadable(text, line, column, message):
    with pytest.raises(DocumentError, match=message) as caught:
        values(text)
    assert caught.value.line == line
    if "100000" not in message:
        assert caught.value.column == column
