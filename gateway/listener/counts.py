"""How many parts a head may have: header fields, path segments, query parameters.

Their bytes are bounded as a whole (`header_size`); what looks at each of them one by one is bounded
by their number. They are counted here, before anything is decoded, for all that is served.
"""

from __future__ import annotations

from gateway.http import Request
from gateway.listener.faults import Fault, Refused
from gateway.listener.limits import Limits


def check_counts(request: Request, limits: Limits) -> None:
    """Counts the parts of a head.

    Raises:
        Refused: There are too many. 431 for fields, 400 for segments (each `/` begins one) and
            parameters (each `&` begins another).
    """
    if len(request.headers) > limits.header_fields:
        text = f"The request has more than {limits.header_fields} header fields."
        raise Refused(Fault(431, "HEADERS_TOO_LARGE", text))
    if request.path.count("/") > limits.path_segments:
        text = f"The path has more than {limits.path_segments} segments."
        raise Refused(Fault(400, "INVALID_PATH", text))
    query = request.query
    if query and query.count("&") >= limits.query_parameters:
        text = f"The query has more than {limits.query_parameters} parameters."
        raise Refused(Fault(400, "INVALID_QUERY", text))
