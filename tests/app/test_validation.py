"""Rules in protos, in a config: compiled at the start, for the methods that have any."""

from __future__ import annotations

import pytest

from gateway.app import BuildError, build, validation
from gateway.app.pool import UpstreamPool
from gateway.config import from_mapping
from gateway.policies.validation.policy import Validate, ValidateMessages

PROTO = """syntax = "proto3"; package x.v1; import "buf/validate/validate.proto";
message Ruled { string name = 1 [(buf.validate.field).string.min_len = 1]; }
message Plain { string name = 1; }
service S {
  rpc One(Ruled) returns (Plain);
  rpc Many(stream Ruled) returns (Plain);
  rpc Listed(Ruled) returns (stream Plain);
  rpc Free(Plain) returns (Plain);
}
"""
WRONG = """syntax = "proto3"; package x.v1; import "buf/validate/validate.proto";
message Wrong {
  message Within {
    string fine = 1 [(buf.validate.field).string.min_len = 1];
    string text = 2 [(buf.validate.field).int32.gt = 1];
    string name = 3 [(buf.validate.field).string.min_len = 1];
  }
  repeated Within within = 1 [(buf.validate.field).repeated.min_items = 1];
  string pattern = 2
      [(buf.validate.field).string.pattern = "(("];
}
message Called {
  string fine = 1 [(buf.validate.field).string.min_len = 1];
  oneof choice {
    string text = 2 [(buf.validate.field).cel = {id: "call", expression: "this.foo()"}];
  }
}
message Lacking {
  option (buf.validate.message).cel = {id: "lacking", expression: "this.nothere == 1"};
  string fine = 1 [(buf.validate.field).string.min_len = 1];
}
service S { rpc A(Wrong) returns (Wrong); rpc B(Called) returns (Wrong); rpc C(Lacking) returns (Wrong); }
"""


@pytest.fixture
def built(tmp_path, monkeypatch):
    """Builds a generation of a proto with policies."""
    monkeypatch.chdir(tmp_path)

    async def built(*policies, proto=PROTO):
        (tmp_path / "x.proto").write_text(proto)
        data = {
            "schema": {"protos": ["."]},
            "upstreams": {"x": {"services": ["x.v1.*"], "endpoints": ["127.0.0.1:1"]}},
            "policies": list(policies),
        }
        pool = UpstreamPool()
        try:
            return await build(from_mapping(data, origin="test", directory=tmp_path), pool)
        finally:
            await pool.close(0)

    return built


def checks(generation):
    """What checks the requests of each method."""
    return {
        name.rpartition("/")[2]: type(policy)
        for name, method in generation.methods.items()
        for policy in method.policies
        if isinstance(policy, Validate | ValidateMessages)
    }


async def test_methods_with_rules_are_checked_each_in_its_way(built):
    generation = await built({"methods": ["*"], "validate": True})
    assert checks(generation) == {
        "One": Validate,
        "Many": ValidateMessages,
        "Listed": ValidateMessages,
    }


async def test_only_those_that_a_policy_asks_for_are_checked(built):
    generation = await built(
        {"methods": ["*"], "validate": True}, {"methods": ["x.v1.S/Many"], "validate": False}
    )
    assert checks(generation).keys() == {"One", "Listed"}
    assert not checks(await built({"methods": ["*"], "timeout": "1s"}))


async def test_a_method_without_rules_is_warned_of_only_where_it_is_named(built):
    generation = await built({"methods": ["*"], "validate": True})
    assert not any("buf.validate" in each for each in generation.warnings)
    generation = await built({"methods": ["x.v1.S/Free"], "validate": True})
    (warning,) = (each for each in generation.warnings if "buf.validate" in each)
    assert warning.endswith(
        "policies.0.validate: x.v1.Plain has no rules of buf.validate (x.v1.S/Free)"
    )


async def test_rules_that_do_not_compile_are_named_with_their_line(built):
    with pytest.raises(BuildError) as failure:
        await built({"methods": ["*"], "validate": True}, proto=WRONG)
    places = [each.partition(" can't be compiled: ")[0] for each in failure.value.problems]
    assert places == [
        "x.proto:5: a rule of x.v1.Wrong.Within.text",
        "x.proto:9: a rule of x.v1.Wrong.pattern",
        "x.proto:15: a rule of x.v1.Called.text",
        "x.proto:18: a rule of x.v1.Lacking",
    ]


async def test_without_the_library_it_is_said_what_to_install(built, monkeypatch):
    monkeypatch.setattr(validation, "LIBRARY", "no_such_library")
    with pytest.raises(BuildError) as failure:
        await built({"methods": ["*"], "validate": True})
    (problem,) = failure.value.problems
    assert problem.endswith(
        "policies.0.validate: needs the extra validation: "
        "pip install 'grpc-api-gateway[validation]'"
    )
    assert await built({"methods": ["*"], "validate": False})
