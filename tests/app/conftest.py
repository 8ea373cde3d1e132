"""A generation made of protos that say who may call, for tests of what governs methods."""

from __future__ import annotations

import pytest

from gateway.app import build
from gateway.app.pool import UpstreamPool
from gateway.config import from_mapping

PROTO = """syntax = "proto3"; package x.v1; import "gateway/v1/options.proto";
message M {}
service S {
  option (gateway.v1.service) = {authenticate: "customers" authorize: {scopes: "read"}};
  rpc Get(M) returns (M);
  rpc Put(M) returns (M) { option (gateway.v1.method).authenticate = "none"; }
}
service T { rpc Get(M) returns (M); rpc Watch(M) returns (stream M); }
"""


@pytest.fixture
def built(tmp_path, monkeypatch):
    """Builds a generation of the protos above."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x.proto").write_text(PROTO)
    (tmp_path / "keys.yaml").write_text("keys: {}\n")

    async def built(
        providers=("customers", "partners"), services=("x.v1.*",), upstream=(), **sections
    ):
        keys = {"file": "keys.yaml"}
        given = {each: {"api_key": {"header": f"x-{each}", "keys": keys}} for each in providers}
        shop = {"services": list(services), "endpoints": ["127.0.0.1:1"], **dict(upstream)}
        data = {
            "schema": {"protos": ["."]},
            "upstreams": {"x": shop},
            "auth": {"providers": given},
        }
        pool = UpstreamPool()
        try:
            loaded = from_mapping(data | sections, origin="test", directory=tmp_path)
            return await build(loaded, pool)
        finally:
            await pool.close(0)

    return built
