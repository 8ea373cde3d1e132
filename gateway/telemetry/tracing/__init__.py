"""Traces: where requests stand in them, and spans of those that are picked.

    context      what callers say of their traces (W3C Trace Context)
    sampling     which requests are traced
    beginning    each record's place in a trace
    spans        what the spans of a record are: pure functions of records
    keeping      has spans made of records that are complete
    export       sends them to a collector, by OTLP; alone knows OpenTelemetry's library

Nothing is imported here: who wants traces imports what they need.
"""
