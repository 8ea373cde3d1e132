"""What is noted of a request while it is answered: by whom, which calls it made, how it ended.

A listener begins a record with each request, fronts say in it what the request is, the chain and
upstreams say what became of its calls, and each is given, when it is complete, to whoever keeps it
(`gateway.telemetry`). Data and a little arithmetic: nothing here decides what is kept. A request of
which nothing is noted has no record, and costs no more than to look for one.

Times are seconds on the monotonic clock that the listener was given.
"""

from gateway.record.attempts import AttemptRecord
from gateway.record.calls import MOST_CALLS, MOST_NOTES, CallRecord
from gateway.record.keeping import Keeper, Source
from gateway.record.outside import Detail, Failure, Principal, Status
from gateway.record.requests import GONE, RequestRecord
from gateway.record.trace import TRACEPARENT, TRACESTATE, Said, Trace

__all__ = [
    "GONE",
    "MOST_CALLS",
    "MOST_NOTES",
    "TRACEPARENT",
    "TRACESTATE",
    "AttemptRecord",
    "CallRecord",
    "Detail",
    "Failure",
    "Keeper",
    "Principal",
    "RequestRecord",
    "Said",
    "Source",
    "Status",
    "Trace",
]
