"""Templates as google/api/http.proto's grammar has them; the rows are in templates.yaml."""

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from gateway.routing.template import TemplateError, Wildcard, parse, parse_prefix, text_of

ROWS = yaml.safe_load(Path(__file__).with_name("templates.yaml").read_text())


def each(kind):
    return pytest.mark.parametrize("row", [pytest.param(row, id=row["id"]) for row in ROWS[kind]])


def segment(text):
    """A table's word for a segment: a wildcard as it is written, or a literal."""
    if text in ("*", "**"):
        return Wildcard(text)
    return text.removeprefix("literal:")


@each("valid")
def test_a_template_parses(row):
    template = parse(row["template"])
    assert template.segments == tuple(map(segment, row["segments"]))
    assert template.verb == row.get("verb")
    assert {
        item.name: [item.start, item.stop, item.multiple] for item in template.variables
    } == row.get("variables", {})
    assert str(template) == row["template"]


@each("valid")
def test_a_variable_knows_its_column(row):
    template = parse(row["template"])
    for item in template.variables:
        assert row["template"][item.column - 1 :].startswith(item.name)


@each("invalid")
def test_an_error_names_the_template_and_the_column(row):
    with pytest.raises(TemplateError) as caught:
        parse(row["template"])
    assert caught.value.template == row["template"]
    assert caught.value.column == row["column"]
    assert row["expected"] in caught.value.problem
    assert f'template "{row["template"]}", column {row["column"]}: ' in str(caught.value)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param("/v1/{id}", "/v1/{name}", id="variables by other names"),
        pytest.param("/v1/{id}", "/v1/*", id="a variable and its wildcard"),
        pytest.param("/v1/{a=b/*}", "/v1/b/{c}", id="variables of other lengths"),
        pytest.param("/things", "/th%69ngs", id="literals that decode to the same"),
    ],
)
def test_templates_of_one_shape_match_the_same_paths(one, other):
    assert parse(one).shape == parse(other).shape


def test_a_literal_star_is_no_wildcard():
    assert parse("/%2A").shape != parse("/*").shape


@pytest.mark.parametrize("prefix", ["/api", "/api/"])
def test_a_prefix_stands_before_every_template(prefix):
    template = parse("/v1/{name=a/*}/b:go").under(parse_prefix(prefix))
    assert str(template) == "/api/v1/{name=a/*}/b:go"
    assert template.shape == parse("/api/v1/{name=a/*}/b:go").shape
    assert [(item.start, item.stop) for item in template.variables] == [(2, 4)]


@pytest.mark.parametrize("prefix", ["", "/"])
def test_an_empty_prefix_changes_nothing(prefix):
    template = parse("/v1/{id}")
    assert template.under(parse_prefix(prefix)) == template


@pytest.mark.parametrize("prefix", ["api", "/{a}", "/*", "/a/**", "/a:verb", "/a//b"])
def test_a_prefix_is_made_of_literals(prefix):
    with pytest.raises(TemplateError):
        parse_prefix(prefix)


def test_the_text_of_a_shape_leaves_variables_out():
    assert text_of(*parse("/v1/{name=shelves/*/**}:move").shape) == "/v1/shelves/*/**:move"


@given(st.text() | st.text("/*{}=.:%a2é"))
def test_any_text_parses_or_is_refused(text):
    try:
        template = parse("/" + text)
    except TemplateError as error:
        assert 1 <= error.column <= len(text) + 2
    else:
        assert parse(str(template)) == template
