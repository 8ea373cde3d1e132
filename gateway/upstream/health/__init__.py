"""Health that is asked for: each endpoint is asked how it is, and left out while it is not well.

The protocol is `grpc.health.v1` (grpc/grpc, doc/health-checking.md). A server is asked to say by
itself when its health changes (Watch), and asked anew all the same (Check): a process that hangs
keeps its Watch open and says nothing. Where it has no Watch, Check is all there is; where it has
neither, it is well while it answers at all.

    messages   what is asked, and what an answer means: pure
    verdict    from answers to well or not: pure
    watching   the gateway's side of a Watch
    probe      asks one endpoint, by timers
    checks     a probe for each endpoint, and what becomes of what they find
"""
