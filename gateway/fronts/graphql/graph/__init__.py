"""The graph: graphql-core types made of descriptors, each field with the source of its value."""
