"""The words of a connection that failed, read when there is one again."""

import pytest

from gateway.call import Code
from gateway.upstream.channel.grpcio_faults import fault_of

WORDS = "failed to connect to all addresses; last error: UNKNOWN: {}: Connection refused"


@pytest.mark.parametrize("address", ["ipv4:10.0.0.5:50051", "ipv6:[::1]:50051", "unix:/run/a.sock"])
def test_no_client_reads_addresses_when_the_connection_is_back_meanwhile(address):
    words = WORDS.format(address)
    fault = fault_of(Code.UNAVAILABLE, words, connected=True, late=False)
    assert fault is not None
    assert fault.reason == "UPSTREAM_UNAVAILABLE"
    assert not fault.never_sent, "it may be a backend that passes on the words of its own"
    unconnected = fault_of(Code.UNAVAILABLE, words, connected=False, late=False)
    assert unconnected is not None
    assert unconnected.never_sent


def test_words_that_name_no_address_are_the_backend_s():
    assert fault_of(Code.UNAVAILABLE, "failed to connect", connected=True, late=False) is None
