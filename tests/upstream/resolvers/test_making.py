"""Which resolver a spec asks for, and what that costs those that ask for none."""

import subprocess
import sys
from pathlib import Path

from gateway.upstream.resolvers.dns import AddressLook
from gateway.upstream.resolvers.file import FileLook
from gateway.upstream.resolvers.making import look_of
from gateway.upstream.resolvers.srv import ServiceLook
from gateway.upstream.spec import DnsSpec, FileSpec


def test_each_kind_has_its_own():
    assert isinstance(look_of(DnsSpec("orders", 50051)), AddressLook)
    assert isinstance(look_of(DnsSpec("_grpc._tcp.orders", None)), ServiceLook)
    assert isinstance(look_of(FileSpec(Path("e.yaml"), lambda data, path: ())), FileLook)


def test_the_library_of_dns_is_loaded_where_names_are_asked_for_only():
    code = (
        "import sys, gateway.upstream.upstream, gateway.upstream.resolvers.making as making\n"
        "from gateway.upstream.spec import DnsSpec\n"
        "assert 'dns' not in sys.modules\n"
        "making.look_of(DnsSpec('orders', 1))\n"
        "assert 'dns' in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
