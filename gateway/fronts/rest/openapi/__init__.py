"""The OpenAPI description of a REST front: made from descriptors and routes, when it is asked for.

In the order in which a document comes about:

    texts        a comment to summary, description, examples
    scalars      fields of simple types, as JSON Schema
    well_known   the types of google.protobuf that have a JSON of their own
    constraints  rules of buf.validate, as JSON Schema
    messages     messages and enums, as the components that operations refer to
    templates    path templates as paths of OpenAPI, whose parameters are single segments
    parameters   what a path and a query bind
    bodies       what requests hold, and what replies do
    shared       errors and headers that all operations have in common
    operations   one binding of an RPC
    views        one trusted document that is served as REST
    document     all of it
    site         answers those who ask for it
    page         the page that shows it to people

The JSON described is that which the gateway writes; readers take more than that (ProtoJSON), and
clients need not know. It does not know the config: what policies say comes as plain facts.
"""
