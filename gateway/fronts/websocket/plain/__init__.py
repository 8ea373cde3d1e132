"""The plain form: a WebSocket is one call of one method (docs/websocket.md, "Plain").

`compile` makes the routes, by the `choice` of who answers an upgrade, and a front of them.
`finding` reads an upgrade's path and `opening` answers it. A `call` is driven by what its client
sends: frames of one of the `forms`, which may have to wait in the `inbox`. Replies leave by the
`outbox`, and the `ending` tells how it went.
"""
