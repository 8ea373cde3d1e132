"""What a backend is sent with a call is counted all together."""

import pytest

from gateway.call import Call, Metadata, RpcError
from gateway.policies.metadata_size import MetadataSize

ENTRIES = [("x-client", "a" * 492), ("x-told-bin", b"b" * 438)]  # 532 and 480 bytes, with 32 each


def test_metadata_is_counted_as_http2_does():
    assert Metadata(ENTRIES).size() == 532 + 480
    assert Metadata().size() == 0


def test_a_call_at_the_limit_is_admitted_and_one_byte_more_is_not():
    gate = MetadataSize(1012)
    gate.admit(Call("a.B/C", metadata=Metadata(ENTRIES)))
    with pytest.raises(RpcError) as refusal:
        gate.admit(Call("a.B/C", metadata=Metadata([*ENTRIES[:1], ("x-told-bin", b"b" * 439)])))
    assert refusal.value.reason == "HEADERS_TOO_LARGE"
