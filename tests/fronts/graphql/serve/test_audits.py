"""The audits of graphql-http: every MUST, SHOULD and MAY of GraphQL over HTTP that it looks at."""

from tests.fronts.graphql.serve.node import needs_node, run


@needs_node
async def test_all_audits_pass(client):
    results = await run("audits.mjs", client.url)
    assert [each for each in results if each["status"] != "ok"] == []
    assert len({each["id"] for each in results}) == 61
