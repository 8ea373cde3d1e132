import subprocess
import sys

HEAVY = ("grpc", "aiohttp", "graphql", "pydantic", "httptools", "uvloop")
OF_THE_GATEWAY = {"gateway.call", "gateway.client", "gateway.head", "gateway.kept", "gateway.v1"}


def test_the_client_brings_along_no_server():
    code = "import gateway.client, sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    modules = set(done.stdout.split())
    assert not modules & set(HEAVY)
    ours = {name for name in modules if name.startswith("gateway.")}
    assert {".".join(name.split(".")[:2]) for name in ours} == OF_THE_GATEWAY
