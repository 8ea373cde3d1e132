"""The supervisor: several worker processes behind the same addresses.

It binds the sockets, starts a fresh process for each worker, restarts those that die, and carries
reload and drain to all of them. It serves no call itself, and knows no protos: it stays small.

The way through the modules: `sockets` binds; `worker` runs one process, told and heard through
`channel` in `messages`; `backoff` says when a dead one is started again; `questions` are what it is
asked from outside, and `merging` makes one answer of all workers'; `supervisor` has them all.
"""
