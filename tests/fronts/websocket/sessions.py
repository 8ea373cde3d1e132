"""A session with calls that do as a test says; what it writes is read back."""

import json

from gateway.call import Code
from gateway.fronts.websocket.frames import Cancel, Credit, End, Message, Open
from gateway.fronts.websocket.json_frames import JsonFraming
from gateway.fronts.websocket.limits import Limits
from gateway.fronts.websocket.session import Session


class Calls:
    """Notes what the session asks of calls (`calling.Calls`)."""

    def __init__(self):
        self.session = None
        self.began = []
        self.told = []
        self.stopped = []
        self.owing = False

    def begin(self, stream, opened):
        self.began.append(stream.id)

    def arrived(self, stream):
        self.told.append(("arrived", stream.id))

    def written(self, stream):
        self.told.append(("written", stream.id))

    def owed(self):
        assert not self.owing, "it is said once"
        self.owing = True

    def stop(self, stream, failure):
        if not stream.outflow.ended:
            self.stopped.append((stream.id, failure.reason))
        self.session.end(stream, End(failure.status.code, failure.reason), drop=True)


class Peer:
    """Both ends of a session: the client's word and the calls'."""

    def __init__(self, *, resumable=False, **limits):
        self.calls = Calls()
        self.session = Session(JsonFraming(), Limits(**limits), self.calls, resumable=resumable)
        self.calls.session = self.session
        self.seqs = {}

    # The client.

    def open(self, id_=1, credit=None, body=None, *, end=False, refused=None):
        self.session.open(Open(id_, "m", credit=credit, body=body, end=end), refused)

    def message(self, body=b"x", id_=1, *, end=False):
        seq = 0
        if self.session.resumable:
            seq = self.seqs[id_] = self.seqs.get(id_, 0) + 1
        self.session.message(Message(id_, body, end, seq))

    def credit(self, n, id_=1, seq=0):
        self.session.credit(Credit(id_, n, seq))

    def cancel(self, id_=1):
        self.session.cancel(Cancel(id_))

    def wait(self):
        """Has grants that are owed be given."""
        self.calls.owing = False
        self.session.grant_owed()

    def written(self, most=None):
        """What is written now, shortly: `message 1 "a"`."""
        found = []
        while (most is None or len(found) < most) and (frame := self.session.next()) is not None:
            found.append(_short(json.loads(frame)))
        return found

    # The call.

    def stream(self, id_=1):
        return self.session.streams[id_]

    def take(self, id_=1):
        return self.session.take(self.stream(id_))

    def headers(self, id_=1):
        self.session.headers(self.stream(id_), [("a", "b")])

    def send(self, text, id_=1):
        self.session.send(self.stream(id_), json.dumps(text).encode())

    def end(self, id_=1, code=Code.OK):
        self.session.end(self.stream(id_), End(code))


def _short(frame):
    seq = f"#{frame['seq']}" if "seq" in frame else ""
    match frame["t"]:
        case "message":
            return f"message {frame['id']}{seq} {frame['body']}"
        case "status":
            why = f" {frame['message']}" if "message" in frame else ""
            return f"status {frame['id']}{seq} {frame['status']}{why}"
        case "credit":
            return f"credit {frame['id']}{seq} {frame['n']}"
        case kind:
            return f"{kind} {frame['id']}{seq}"
