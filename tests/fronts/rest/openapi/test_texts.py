"""What a comment says to those who read the document."""

import pytest

from gateway.fronts.rest.openapi.texts import Text, text_of


@pytest.mark.parametrize(
    ("comment", "expected"),
    [
        (None, Text()),
        ("Gets it.", Text("Gets it", "Gets it.")),
        ("Gets\nit. Or not.", Text("Gets it", "Gets\nit. Or not.", further="Or not.")),
        ("No full stop", Text("No full stop", "No full stop")),
        ("Of v1.2 only. More.", Text("Of v1.2 only", "Of v1.2 only. More.", further="More.")),
        ("x" * 200, Text("", "x" * 200, further="x" * 200)),
        ("An id.\nExample: p1", Text("An id", "An id.", ("p1",))),
        ("An id.\n@example `p1`\nExample: 2", Text("An id", "An id.", ("`p1`", "2"))),
        ("@deprecated", Text("Deprecated", "Deprecated.", (), True)),
        (
            "It.\n@deprecated Use b.",
            Text("It", "It.\nDeprecated: Use b.", (), True, "Deprecated: Use b."),
        ),
        ("Deprecated: use b.", Text("Deprecated: use b", "Deprecated: use b.", (), True)),
        ("Is `A` or ``B``.", Text("Is A or B", "Is `A` or ``B``.")),
        ("A list\n\n- one", Text("A list", "A list\n\n- one", further="- one")),
        ("buf:lint:ignore X\nIt.", Text("It", "It.")),
        ("It.\n(-- not for\nyou --)", Text("It", "It.")),
    ],
)
def test_a_comment_is_read(comment, expected):
    assert text_of(comment) == expected


@pytest.mark.parametrize(
    ("examples", "kind", "expected"),
    [
        (("p1",), "string", ["p1"]),
        (("`p1`",), "string", ["p1"]),
        (('"p1"',), "string", ["p1"]),
        (("42",), "string", ["42"]),
        (("42", "x"), "integer", [42]),
        (("1.5",), "number", [1.5]),
        (("[1]", "2"), "array", [[1]]),
        (("NaN", "-Infinity", "1e999", "2"), "number", [2]),
        (('{"a": [1e999]}', '{"a": 1}'), "object", [{"a": 1}]),
        (('{"a": 1}',), None, [{"a": 1}]),
    ],
)
def test_examples_are_of_the_type(examples, kind, expected):
    assert Text(examples=examples).examples_of(kind) == expected
