"""docs/logging.md has every field that a line of JSON can have, in its order, and no other."""

import json
import re
from pathlib import Path

from gateway.call import Code, RpcError, Status
from gateway.record import Trace
from gateway.telemetry.access_log.json_lines import JsonLines
from gateway.telemetry.access_log.redaction import Redaction
from tests.telemetry.records import ANN, Maker, head

PAGE = (Path(__file__).parents[3] / "docs" / "logging.md").read_text()
ROWS = re.findall(r"^\| `(\w+)` \|", PAGE.partition("## The application log")[0], re.MULTILINE)


class Kept:
    def __init__(self):
        self.lines = JsonLines(Redaction(()))
        self.fields = []

    def called(self, call):
        pass

    def asked(self, request):
        for brief in (False, True):
            self.fields.append(list(json.loads(self.lines.line(request, brief=brief))))


def test_the_page_has_what_lines_have():
    kept = Kept()
    made = Maker(kept)
    trace = Trace(f"00-{'01' * 16}-{'02' * 8}-02", sampled=False, new=str)
    given = head(query="a=1", user_agent="x")
    many = {"operation": "Q", "operation_type": "query", "document": "ab", "trace": trace}
    socket = made.request(given, **many)
    socket.upgraded()
    for kind in ("stream", "request"):
        record = socket.on_socket(kind)
        record.front = record.request_id = record.route = "x"
        record.status = 200
        call = made.call(record, cached="hit")
        made.attempt(call)
        call.gave(1)
        call.failed(RpcError(Status(Code.INTERNAL), reason="INTERNAL"))
        call.principal = ANN
        call.ends()
        record.left()
    record = made.request(given, **many)
    made.ends(made.call(record))
    made.ends(made.call(record))
    record.close = 1000
    record.end()
    seen = {name for fields in kept.fields for name in fields}
    assert set(ROWS) == seen
    for fields in kept.fields:
        assert [name for name in ROWS if name in fields] == fields
