"""Records as a listener and fronts make them, for those who keep them.

Times are binary fractions of a second, so that sums of them are exact.
"""

from __future__ import annotations

from gateway.call import Code, Principal
from gateway.http import Headers, Request
from gateway.record import AttemptRecord
from gateway.telemetry.records import Records
from tests.upstream.fakes import Clock

METHOD = "shop.catalog.v1.CatalogService/GetProduct"
ROUTE = "/v1/products/{id}"
ANN = Principal("ann", "customers", plan="pro")


def head(path="/v1/products/p1", query=None, *, verb="GET", peer="192.0.2.1", **headers):
    """A request's head."""
    fields = [(name.replace("_", "-"), value) for name, value in headers.items()]
    return Request(verb, path, query, Headers(fields), peer=peer)


class Maker:
    """Makes records for a keeper, on a clock that is set by hand."""

    def __init__(self, *keepers):
        self.clock = Clock()
        self.records = Records(keepers, clock=self.clock)

    def request(self, given=None, **attributes):
        """One that has begun; attributes are those of RequestRecord."""
        record = self.records.begin(given or head())
        return _with(record, {"front": "rest", "request_id": "id-1", "route": ROUTE} | attributes)

    def call(self, record, *, after=1 / 64, **attributes):
        """A call of it that has begun, so many seconds after what was before."""
        self.clock.advance(after)
        call = record.call(METHOD)
        call.began = self.clock.now
        call.upstream = "shop"
        return _with(call, attributes)

    def attempt(
        self, call, seconds=1 / 8, code=Code.OK, *, after=1 / 32, endpoint="127.0.0.1:50051"
    ):
        """An attempt of it that has ended."""
        self.clock.advance(after)
        began = self.clock.now
        call.tries(endpoint, began)
        self.clock.advance(seconds)
        ended = self.clock.now
        call.tried(AttemptRecord("shop", endpoint, began, ended, code))

    def ends(self, call, code=Code.OK, principal=None):
        """Ends it."""
        call.code = code
        call.principal = principal
        call.ends()

    def answered(self, record, status=200, size=425, *, after=3 / 64):
        """Answers a request."""
        self.clock.advance(after)
        record.answered(status, size)

    def usual(self, given=None, principal=ANN, **attributes):
        """A request with one call and one attempt, answered well."""
        record = self.request(given, **attributes)
        call = self.call(record)
        self.attempt(call)
        self.ends(call, principal=principal)
        self.answered(record)
        return record


def _with(record, attributes):
    for name, value in attributes.items():
        setattr(record, name, value)
    return record
