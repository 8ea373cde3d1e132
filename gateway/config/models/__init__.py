"""The sections of the configuration: every key, its type, default and description.

A key whose feature is not built yet carries a marker; see `gateway.config.markers`.
"""

from gateway.config.models.graphql import Graphql
from gateway.config.models.listener import Admin, Listener, ListenerLimits, ListenerTls
from gateway.config.models.policies import Policy, RateLimit
from gateway.config.models.rest import (
    Headers,
    RequestHeaders,
    ResponseHeaders,
    Rest,
    RestJson,
    UnknownQuery,
)
from gateway.config.models.root import Config
from gateway.config.models.schema import CustomPattern, HttpBinding, HttpRule, Schema
from gateway.config.models.upstreams import (
    Balancing,
    Endpoint,
    Keepalive,
    Upstream,
    UpstreamTls,
)

__all__ = [
    "Admin",
    "Balancing",
    "Config",
    "CustomPattern",
    "Endpoint",
    "Graphql",
    "Headers",
    "HttpBinding",
    "HttpRule",
    "Keepalive",
    "Listener",
    "ListenerLimits",
    "ListenerTls",
    "Policy",
    "RateLimit",
    "RequestHeaders",
    "ResponseHeaders",
    "Rest",
    "RestJson",
    "Schema",
    "UnknownQuery",
    "Upstream",
    "UpstreamTls",
]
