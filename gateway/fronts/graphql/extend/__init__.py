"""The graph's part that users write in Python, with Strawberry.

declared    what a module declares: roots, more fields for generated types, types
modules     finds and imports what the configuration names
scalars     Python's types that are the graph's own scalars
conversion  what was declared becomes fields and types of the graph, or problems
client      calls of services, as the caller of the request
context     what resolvers are told of a request

Strawberry is imported by `declared`, `scalars` and `conversion`: only where there are extensions.
"""
