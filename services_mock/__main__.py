"""`python -m services_mock`: serves the shop."""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace

from services_mock import faults
from services_mock.faults import Action, Fault, Faults
from services_mock.reflection import VERSIONS
from services_mock.replica import SERVICES, Options
from services_mock.supervisor import Supervisor
from services_mock.units import seconds, size


def _services(text: str) -> list[str]:
    names = text.split(",")
    for name in names:
        if name not in SERVICES:
            raise ValueError(name)
    return names


def _indices(text: str) -> set[int]:
    return {faults.count(number) for number in text.split(",")}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m services_mock",
        description="Serves the example shop's gRPC services, with faults to order.",
        epilog="A call may ask for its own fault by metadata: x-fault-delay: 200ms, x-fault-code: "
        "UNAVAILABLE, x-fault-percent: 50, x-fault-after: 3, x-fault-hang: 1, "
        "x-fault-crash: 1, x-fault-refuse: 1.",
    )
    add = parser.add_argument
    add("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    add("--port", type=int, default=50051, help="first replica's port; 0: free ones (50051)")
    add("--replicas", type=int, default=1, help="number of processes, on port, port+1, … (1)")
    add("--restart", action="store_true", help="start a replica again when it ends")
    add("--services", type=_services, default=list(SERVICES), help=f"of {','.join(SERVICES)} (all)")
    add("--reflection", choices=VERSIONS, default="both", help="reflection to serve (both)")
    add("--max-message", type=size, default="4MiB", help="greatest message to take (4MiB)")
    add("--seed", type=int, default=1, help="of the data and of the faults' luck (1)")
    add("--log", action="store_true", help="write a line a call to stderr")
    add("--end-with-stdin", action="store_true", help="end when stdin does")
    group = parser.add_argument_group("faults")
    add = group.add_argument
    add("--fault-methods", default="shop.*", metavar="GLOB", help="calls that they befall (shop.*)")
    add("--fault-replicas", type=_indices, metavar="0,2", help="replicas that have them (all)")
    add("--delay", type=seconds, default="0s", help="wait before each call")
    add("--error", type=faults.code, metavar="CODE", help="end calls with this code")
    add("--error-percent", type=faults.percent, default="100", metavar="N", help="in N %% of them")
    add("--error-after", type=faults.count, default="0", metavar="N", help="after N messages")
    add("--hang", action="store_true", help="never answer")
    add("--crash-after", type=faults.count, metavar="N", help="serve N calls, end at the next")
    add("--refuse", action="store_true", help="hold the port and refuse connections")
    return parser


def _faults(arguments: argparse.Namespace) -> Faults:
    tuned = arguments.error_percent < 100 or arguments.error_after > 0
    action = Action.HANG if arguments.hang else None
    if action is None and (arguments.error or tuned):
        action = Action.ERROR
    fault = Fault(
        delay=arguments.delay,
        action=action,
        percent=arguments.error_percent,
        after=arguments.error_after,
    )
    if arguments.error:
        fault = replace(fault, code=arguments.error)
    return Faults(
        fault=fault,
        methods=arguments.fault_methods,
        crash_after=arguments.crash_after,
        refuse=arguments.refuse,
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; gives its exit status."""
    parser = _parser()
    arguments = parser.parse_args(argv)
    if not 1 <= arguments.replicas <= 64:
        parser.error("--replicas must be 1 to 64")
    if not 0 <= arguments.port <= 65536 - arguments.replicas:
        parser.error("--port and the ports of the replicas after it must be 0 to 65535")
    well = Options(
        host=arguments.host,
        services=arguments.services,
        max_message=arguments.max_message,
        reflection=arguments.reflection,
        seed=arguments.seed,
        log=arguments.log,
    )
    ill = replace(well, faults=_faults(arguments))
    chosen = arguments.fault_replicas
    indices = range(arguments.replicas)
    return Supervisor(
        options=[ill if chosen is None or index in chosen else well for index in indices],
        ports=[arguments.port and arguments.port + index for index in indices],
        restart=arguments.restart,
        end_with_stdin=arguments.end_with_stdin,
    ).run()


if __name__ == "__main__":
    sys.exit(main())
