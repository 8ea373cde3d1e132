"""How a grpcio channel is set up: channel arguments, target and credentials, from a spec.

Pure. The arguments are those of grpc/grpc, include/grpc/impl/channel_arg_names.h.
"""

from __future__ import annotations

from typing import TypeAlias

import grpc

from gateway.upstream.endpoints import AnyEndpoint, Endpoint, UnixEndpoint, is_address
from gateway.upstream.spec import ChannelSpec, Tls

Options: TypeAlias = list[tuple[str, int | str]]

# Replies with rich error details pass the 8 KiB that core allows by itself.
_METADATA_SIZE = 64 * 1024

_FIXED: Options = [
    # Each channel has its own connection, also to an endpoint that another upstream has too.
    ("grpc.use_local_subchannel_pool", 1),
    # A TXT record must not configure the gateway: without a service config, core retries only
    # what no backend processed (GOAWAY), which is what makes a backend's restart go unnoticed.
    ("grpc.service_config_disable_resolution", 1),
    ("grpc.enable_retries", 1),
    # An http_proxy variable is meant for the way out, not for the backends.
    ("grpc.enable_http_proxy", 0),
    ("grpc.primary_user_agent", "grpc-api-gateway"),
    # `request.too_large` speaks first, in words for clients.
    ("grpc.max_send_message_length", -1),
    ("grpc.max_metadata_size", _METADATA_SIZE),
    # Core measures the connection and widens the windows of its streams; on a busy machine without
    # an end, so that a client that stops reading would have all of a stream held here. Without it
    # a window has the 64 KiB of the native transport's.
    ("grpc.http2.bdp_probe", 0),
    # Milliseconds. `min` is also how long an attempt to connect may take.
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.min_reconnect_backoff_ms", 5_000),
    ("grpc.max_reconnect_backoff_ms", 5_000),
    ("grpc.dns_min_time_between_resolutions_ms", 5_000),
    # A stream may be silent for longer than two pings.
    ("grpc.http2.max_pings_without_data", 0),
    ("grpc.keepalive_permit_without_calls", 0),
]


def options(spec: ChannelSpec, endpoint: AnyEndpoint) -> Options:
    """Returns the channel arguments."""
    name = spec.tls.server_name if spec.tls is not None else None
    made = [
        *_FIXED,
        ("grpc.max_receive_message_length", spec.message_size),
        ("grpc.keepalive_time_ms", round(spec.keepalive.time * 1000)),
        # The first alone does not keep core from waiting a minute for a keepalive's answer.
        ("grpc.keepalive_timeout_ms", round(spec.keepalive.timeout * 1000)),
        ("grpc.http2.ping_timeout_ms", round(spec.keepalive.timeout * 1000)),
        ("grpc.default_authority", name or endpoint.authority),
    ]
    asked = name or (endpoint.name if isinstance(endpoint, Endpoint) else None)
    if asked is not None and spec.tls is not None:
        made.append(("grpc.ssl_target_name_override", asked))
    return made


def target(endpoint: AnyEndpoint) -> str:
    """Returns the endpoint in grpcio's naming (grpc/grpc, doc/naming.md), with its scheme."""
    if isinstance(endpoint, UnixEndpoint):
        return str(endpoint)
    if not is_address(endpoint.host):
        return f"dns:///{endpoint}"
    return f"ipv6:{endpoint}" if ":" in endpoint.host else f"ipv4:{endpoint}"


def credentials(tls: Tls) -> grpc.ChannelCredentials:
    """Returns what a TLS channel is made with."""
    return grpc.ssl_channel_credentials(tls.ca, tls.key, tls.certificate)
