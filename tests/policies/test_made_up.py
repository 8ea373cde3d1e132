"""The header that says that answers are made up."""

from gateway.call import Call
from gateway.policies.made_up import MadeUp


def test_each_reply_says_so_beside_what_others_say():
    call = Call("a/b", reply_headers={"age": "1"})
    MadeUp().admit(call)
    assert call.reply_headers == {"age": "1", "x-mock": "true"}
    assert "X-Mock: true" in MadeUp().describe()
