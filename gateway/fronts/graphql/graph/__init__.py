"""The graph: graphql-core types made of descriptors, each field with the source of its value.

In the order in which a graph is built:

    options      what the configuration says; `annotations` reads what protos say
    roots        which methods are fields of which root
    shapes       which members messages have, and their names
    reach        which types the methods reach
    naming       who gets which name, by the whole set; `type_names` keeps them
    types        the types, made of `kinds`, `scalars`, `required`, `comments`
    build        all of it: a schema, or every problem at once
    sdl          the schema as text

`sources` is what planner and executor read; `findings` collects what to tell the operator.
"""
