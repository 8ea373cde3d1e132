"""What the protos say: descriptors, HTTP rules, and the ProtoJSON codec made from them."""
