"""GraphQL Code Generator takes the graph's schema, and the example's documents."""

from tests.fronts.graphql.graphs import ROOT
from tests.fronts.graphql.serve.node import needs_node, run


@needs_node
async def test_code_is_generated_from_the_schema_and_documents():
    schema = ROOT / "schema" / "schema.graphql"
    # `@rest` is for the gateway, and no tool's business.
    documents = [
        each
        for each in sorted((ROOT / "schema" / "operations").glob("*.graphql"))
        if "@rest" not in each.read_text()
    ]
    made = await run("codegen.mjs", str(schema), *map(str, documents))
    assert "export type Product = {" in made
    assert all(f"{name} = {{" in made for name in ("OrderPageQuery", "ProductPageQuery"))
