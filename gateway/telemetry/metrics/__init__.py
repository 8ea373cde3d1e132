"""Numbers of the gateway's work, for Prometheus: what there is of them, how they are counted.

`catalogue` says which metrics there are; all else counts, reads, adds up and writes what it says.
"""
