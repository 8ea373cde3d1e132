"""docs/graphql.md and what docs/errors.md says of GraphQL: its blocks are right, its tables are true."""

from __future__ import annotations

import re
from dataclasses import asdict
from pathlib import Path

import pytest
import yaml
from graphql import build_schema, parse, validate

from gateway.app import BuildError, build
from gateway.app.pool import UpstreamPool
from gateway.config import from_mapping
from gateway.config.models.graphql import GraphqlLimits
from gateway.fronts.graphql.document import Limits
from gateway.fronts.graphql.errors import RefusalCode
from gateway.fronts.graphql.trusted.reading import read_trusted

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "graphql.md").read_text()
ERRORS = (ROOT / "docs" / "errors.md").read_text()
SCHEMA = build_schema((ROOT / "schema" / "schema.graphql").read_text())


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)


SDL = blocks("graphql")
JOINS = [each for each in SDL if each.startswith("extend type")]
DOCUMENTS = [each for each in SDL if each not in JOINS]
QUERIES = [
    re.sub(r"\\+\"", '"', each) for each in re.findall(r"""-d '\{"query": "(.*?)"\}'""", PAGE)
] + re.findall(r"^\$ cat \S+\.graphql\n(.*?)^\$", PAGE, re.DOTALL | re.MULTILINE)


async def served(tmp_path, section, joins=""):
    """A generation of the shop with this section `graphql`, as if beside a config file."""
    file = tmp_path / "joins.graphql"
    file.write_text(joins)
    data = {
        "schema": {"protos": [str(ROOT / "protos")]},
        "upstreams": {"shop": {"services": ["shop.*"], "endpoints": ["127.0.0.1:1"]}},
        "graphql": {"joins": [str(file)], "operations": [], **section},
    }
    pool = UpstreamPool()
    try:
        return await build(from_mapping(data, origin="page"), pool)
    finally:
        await pool.close(0)


def test_the_page_has_what_is_tested_here():
    assert (len(JOINS), len(DOCUMENTS), len(QUERIES)) == (2, 1, 4)
    assert len(blocks("yaml")) == 5


@pytest.mark.parametrize("joins", JOINS)
async def test_joins_can_be_pasted(joins, tmp_path):
    generation = await served(tmp_path, {}, joins)
    assert generation.warnings == ()


@pytest.mark.parametrize("text", [each for each in blocks("yaml") if each.startswith("graphql")])
async def test_configs_can_be_pasted(text, tmp_path):
    section = yaml.safe_load(text)["graphql"]
    generation = await served(tmp_path, section)
    assert generation.graphql is not None


@pytest.mark.parametrize("query", QUERIES)
def test_queries_are_of_the_shops_graph(query):
    assert validate(SCHEMA, parse(query)) == []


@pytest.mark.parametrize("text", DOCUMENTS)
def test_trusted_documents_are_taken(text):
    trusted = read_trusted([("page.graphql", text)], SCHEMA, Limits())
    (operation,) = trusted.operations.values()
    assert operation.name == "Home"
    assert operation.rule is not None
    assert trusted.warnings == ()


async def test_the_mistake_shown_is_what_is_printed(tmp_path):
    wrong = JOINS[0].replace("product_id", "produkt_id").replace("{ ", "{\n  ", 1)
    with pytest.raises(BuildError) as caught:
        await served(tmp_path, {}, wrong)
    (line,) = caught.value.problems
    assert f"schema/joins.graphql:{line.partition('joins.graphql:')[2]}" in PAGE


def test_limits_are_those_of_the_models():
    rows = re.findall(r"^\| `(\w+)` \| (\d+) \|", PAGE, re.MULTILINE)
    assert {name: int(value) for name, value in rows} == asdict(GraphqlLimits())
    limits = Limits()
    assert f"{limits.size // 1024} Ki characters and {limits.operations} operations" in PAGE
    assert f"{limits.fields:,} fields" in PAGE
    assert f"{limits.introspection_depth} levels of introspection" in PAGE


def test_every_code_of_a_refused_request_has_a_row():
    rows = re.findall(r"^\| `([A-Z_]+)` \| [A-Z]", ERRORS.partition("## GraphQL")[2], re.MULTILINE)
    assert rows == [code.value for code in RefusalCode]
