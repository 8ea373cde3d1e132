"""What the protos say: descriptors, HTTP rules, and the ProtoJSON codec made from them.

The way of a schema: `load` asks the sources (`protos`, `descriptor_sets`, `reflection`), `merge`
makes one set of their files, `registry` holds them, `methods` and `http_rules` describe the RPCs.
"""
