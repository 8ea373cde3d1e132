"""From the config's sections to the plain arguments that the parts take.

No part but this package knows the config, so each can be used and tested without it.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterable, Mapping
from pathlib import Path

from pydantic import TypeAdapter

from gateway.app.upstream_spec import made
from gateway.config import Config, Source, Upstream
from gateway.config.models import HttpRule, Listener, Rest
from gateway.config.models.rest import Versions
from gateway.fronts.rest.compile import RestOptions
from gateway.fronts.rest.versions import VersionOptions
from gateway.listener.limits import Limits
from gateway.listener.tls import Tls as ListenerTls
from gateway.regular import read_regular
from gateway.routing.metadata import HeaderRules
from gateway.schema.codec import JsonOptions
from gateway.schema.folders import Folder
from gateway.schema.load import Sources
from gateway.schema.reflected import ReflectionTarget, ReflectionTls
from gateway.upstream.endpoints import AnyEndpoint, Endpoint
from gateway.upstream.resolvers.file import read as read_file
from gateway.upstream.spec import ChannelSpec, FileSpec, Keepalive, Tls, UpstreamSpec

_RULES = TypeAdapter(HttpRule)
_CREDENTIALS = "authorization"


class SettingError(Exception):
    """A file that the config names can't be used. The text says which and why.

    Attributes:
        path: The config's key, `upstreams.catalog.tls.ca`.
    """

    def __init__(self, path: str, message: str) -> None:
        super().__init__(message)
        self.path = path


class SettingErrors(Exception):  # noqa: N818  several of the above
    """Several files that the config names can't be used.

    Attributes:
        errors: One for each, in the order of the config.
    """

    def __init__(self, errors: Iterable[SettingError]) -> None:
        self.errors = tuple(errors)
        super().__init__("; ".join(map(str, self.errors)))


def limits(listener: Listener) -> Limits:
    """Returns the listener's limits."""
    given = listener.limits
    return Limits(
        connections=given.connections,
        connections_per_address=given.connections_per_address,
        header_size=given.header_size,
        header_fields=given.header_fields,
        path_segments=given.path_segments,
        query_parameters=given.query_parameters,
        header_timeout=given.header_timeout,
        body_timeout=given.body_timeout,
        stream_size=given.stream_size,
        stream_idle_timeout=given.stream_idle_timeout,
        idle_timeout=given.idle_timeout,
    )


def listener_tls(listener: Listener) -> ListenerTls | None:
    """Returns the listener's TLS files."""
    tls = listener.tls
    if tls is None:
        return None
    return ListenerTls(
        certificate=tls.certificate,
        key=tls.key,
        client_ca=tls.client_ca,
        client_certificate=tls.client_certificate or "optional",
    )


def allowed_headers(config: Config, source: Source) -> tuple[str, ...]:
    """Returns the client headers that pass to backends under their own name.

    Where providers judge what callers show, it goes on to backends only if the config itself says
    so: they are told who calls, and need not hold what others could be called with.
    """
    allow = config.headers.request.allow
    if not config.auth.providers or source.place(("headers", "request", "allow")) is not None:
        return allow
    return tuple(name for name in allow if name != _CREDENTIALS)


def header_rules(config: Config, source: Source) -> HeaderRules:
    """Returns which headers pass."""
    request, response = config.headers.request, config.headers.response
    return HeaderRules(
        allowed_headers(config, source),
        request.prefix,
        response.allow,
        response.prefix,
        reserved=forwarded_keys(config),
        most=config.listener.limits.metadata_size,
    )


def forwarded_keys(config: Config) -> tuple[str, ...]:
    """Returns the metadata keys by which backends are told of callers: no client's passes.

    One that ends in `*` stands for all that begin so.
    """
    forward = config.auth.forward
    subject = () if forward.subject is None else (forward.subject,)
    token = () if forward.token is None else (forward.token.header,)
    # Whoever reads one claim may read others: all of them are the gateway's then.
    claims = (claim_key("*"),) if forward.claims else ()
    return (*subject, *token, *claims)


def claim_key(claim: str) -> str:
    """Returns the metadata key of a claim: `x-claim-tenant`."""
    return f"x-claim-{claim.lower()}"


def json_options(rest: Rest) -> JsonOptions:
    """Returns how messages are written and read as JSON."""
    return JsonOptions(
        emit_defaults=rest.json.emit_defaults,
        enums_as_numbers=rest.json.enums_as_numbers,
        proto_names=rest.json.proto_names,
        ignore_unknown_fields=rest.json.unknown_fields == "ignore",
    )


def rest_options(config: Config, rest: Rest) -> RestOptions:
    """Returns the REST front's options."""
    given = config.listener.limits
    return RestOptions(
        prefix=rest.prefix,
        unannotated=rest.unannotated,
        ignore_query=rest.unknown_query.ignore,
        etag=rest.etag,
        body_size=given.body_size,
        message_size=given.message_size,
        form_parameters=given.query_parameters,
        versions=None if rest.versions is None else _versions(rest.versions),
    )


def _versions(given: Versions) -> VersionOptions:
    """Returns how requests may ask for a version."""
    return VersionOptions(given.default, given.accept or "", given.header or "", given.query or "")


def upstream_spec(
    name: str, upstream: Upstream, message_size: int, zone: str | None = None
) -> UpstreamSpec:
    """Returns what an upstream is made of, its TLS files read.

    Args:
        name: Its name in the config.
        upstream: Its section.
        message_size: The largest message either way, in bytes.
        zone: The gateway's own, where that is known.

    Raises:
        SettingError: A TLS file, or one of endpoints, can't be used.
    """
    tls = None
    if upstream.tls is not None:
        at = f"upstreams.{name}.tls"
        _check_pair(at, upstream.tls.certificate, upstream.tls.key)
        tls = Tls(
            ca=_read(f"{at}.ca", upstream.tls.ca),
            certificate=_read(f"{at}.certificate", upstream.tls.certificate),
            key=_read(f"{at}.key", upstream.tls.key),
            server_name=upstream.tls.server_name,
        )
        if tls.ca is not None:
            _check_ca(f"{at}.ca", tls.ca)
    channel = ChannelSpec(
        tls=tls,
        keepalive=Keepalive(upstream.keepalive.time, upstream.keepalive.timeout),
        message_size=message_size,
        transport=upstream.transport,
        connections=upstream.connections,
    )
    spec = made(name, upstream, channel, zone)
    if isinstance(spec.resolver, FileSpec):
        _check_listed(f"upstreams.{name}.resolver.file", spec.resolver)
    return spec


def sources(
    config: Config, asked: Mapping[str, AnyEndpoint], specs: Mapping[str, UpstreamSpec]
) -> Sources:
    """Returns where descriptors come from.

    Args:
        config: The config.
        asked: The endpoint of each upstream that is asked by reflection.
        specs: What each upstream is made of.
    """
    return Sources(
        folders=tuple(Folder(from_here(each.path), each.exclude) for each in config.schema.protos),
        descriptor_sets=config.schema.descriptor_sets,
        reflection=tuple(
            _target(specs[name], asked[name], config.upstreams[name].services)
            for name in config.schema.reflection
        ),
        http_rules=tuple(_rule(rule) for rule in config.schema.http_rules),
        expose=config.schema.expose,
    )


def _target(
    spec: UpstreamSpec, endpoint: AnyEndpoint, services: tuple[str, ...]
) -> ReflectionTarget:
    tls = spec.channel.tls
    return ReflectionTarget(
        upstream=spec.name,
        address=str(endpoint),
        services=services,
        tls=None if tls is None else ReflectionTls(tls.ca, tls.key, tls.certificate),
        server_name=(tls.server_name or _asked_for(endpoint)) if tls else "",
    )


def _asked_for(endpoint: AnyEndpoint) -> str:
    """Returns the name that an address was found by; empty where it is the address itself."""
    return (endpoint.name or "") if isinstance(endpoint, Endpoint) else ""


def _rule(rule: HttpRule) -> Mapping[str, object]:
    """Returns a rule in the form of its YAML."""
    given: Mapping[str, object] = _RULES.dump_python(rule, mode="json", exclude_none=True)
    return given


def from_here(path: Path) -> Path:
    """Returns a path as a person in this folder would write it: errors show it."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def _check_ca(key: str, pem: bytes) -> None:
    try:
        ssl.create_default_context(cadata=pem.decode("ascii"))
    except (ssl.SSLError, ValueError) as failure:
        raise SettingError(key, "the file has no PEM certificates") from failure


def check_ca_file(key: str, path: Path) -> None:
    """Looks whether a file holds certificates that may sign others.

    Raises:
        SettingError: It can't be read, or holds none.
    """
    pem = _read(key, path)
    if pem is not None:
        _check_ca(key, pem)


def _check_pair(key: str, certificate: Path | None, private: Path | None) -> None:
    if certificate is None or private is None:
        return
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_cert_chain(
            certificate, private, password=_no_password
        )
    except (OSError, ValueError) as failure:  # SSLError is an OSError
        raise SettingError(
            f"{key}.certificate",
            "the file has no PEM certificate with the unencrypted key of `key`",
        ) from failure


def _no_password() -> str:
    """Stands in for OpenSSL's prompt, which would stop the start-up at a terminal."""
    raise ValueError("the key is encrypted")


def _check_listed(key: str, spec: FileSpec) -> None:
    try:
        spec.read(read_file(spec.path), spec.path)
    except ValueError as wrong:
        raise SettingError(key, str(wrong)) from wrong


def _read(key: str, path: Path | None) -> bytes | None:
    if path is None:
        return None
    try:
        return read_regular(path)
    except OSError as failure:
        raise SettingError(key, f"{path.name} can't be read: {failure.strerror}") from failure
