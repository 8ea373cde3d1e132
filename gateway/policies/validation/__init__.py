"""Requests are checked against the protovalidate rules in their protos, before a backend is."""
