"""What the gateway tells of its work: metrics, the access log, traces, and the last calls.

`records` has the records of requests and calls (`gateway.record`) begun, and gives each, when it is
complete, to those who keep something of it. Each of them is a module or a package of its own, and
knows nothing of the others.
"""
