"""The GraphQL front: one graph over all services, answered by RPCs in batches.

In the order of a start, then of a request:

    graph       the schema, made of descriptors; where the value of each field comes from
    joins       the edges between services, from SDL and lookups, checked against descriptors
    extend      fields that users write in Python, with Strawberry
    document    a request's document: parsed, validated, limited, cached
    plan        what a document needs: RPCs by level, batches, projections; cached too
    execute     one run of a plan: the calls, the joins, the JSON
    serve       GraphQL over HTTP, SSE and WebSocket; GraphiQL; trusted documents and REST views
"""
