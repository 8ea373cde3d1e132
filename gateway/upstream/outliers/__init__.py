"""Health that is seen: an endpoint whose calls fail is left out for a while.

As gRFC A50 and Envoy's outlier detection have it: by failures in a row, at once; by the share of
calls that succeed, next to the other endpoints', and by the share that fails, both at intervals.
Each further time it stays out for longer, and only a share of the endpoints may be out at a time.

    tally      what one endpoint's calls came to: counts of an interval, failures in a row
    rates      which endpoints' rates are too bad: pure
    ejection   how many may be out, and for how long: pure
    outliers   a tally for each endpoint, and what becomes of what is counted
"""
