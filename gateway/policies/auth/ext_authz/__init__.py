"""Callers that a service of the operator's own decides about: Envoy's external authorization.

`attributes` says what it is told of a request, `answer` what its answer means, `changes` what that
makes of headers, `provider` asks it. Its protocol is `authorization.proto`, a part of Envoy's.
"""
