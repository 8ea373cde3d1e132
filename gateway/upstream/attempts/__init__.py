"""Attempts: a call on its way through the nodes of an upstream, until one of them answers."""
