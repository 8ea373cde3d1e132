"""What a document needs: RPCs by level, batches, projections. Made once, run many times.

From the input to the request:

    variables     a request's variables, coerced
    writing       input values into messages
    request       a field's arguments to the bytes of a request

From the selection to the answer:

    generated     the functions that are made of a selection
    leaves        the JSON of each kind of field
    presence      what a message says of itself
    objects       an object's selection: what writes it, and the edges below it
    finding       how an RPC finds what belongs to keys
    masks         the mask of a selection, for lookups that take one
    edges         joins: keys of parents, answers by key
    scopes        which scopes fields need
    denials       what the caller may not see
    packed        what of an Any may be shown
    later         what `@defer` puts off
    introspection what graphql-core answers

Fields that Python resolves:

    arguments     a field's arguments for a resolver
    foreign       messages that Python gives
    values        what Python returns, as JSON
    python_leaves the JSON of its scalars
    python        the edge: resolvers of a level
    resolving     the edge of a field, planned

All of it together:

    selections    what is asked of objects, from the types of the graph
    plan          the data of a plan
    planner       an operation's plan
"""
