"""A request's document, before anything is called: parsed, limited, validated, priced, cached.

In the order of a document's way:

    limits        how much a document may ask, and how a refusal says it
    parsing       text to syntax tree, bounded by characters and tokens
    measures      depth, fields and aliases, counted through fragments in linear time
    validation    the rules of the specification, in bounded time
    document      what is known of a valid document, and the choice of its operation
    sizes         how long lists will be, from arguments
    pricing       an operation as steps that cost: RPCs, joins, lists
    cost          the price of the steps with a request's variables
    documents     the cache of all that, by text
    explanation   what an operation will call and cost, as lines for people

The limits that are cheap to check come first, so that rules which are quadratic never see a
document that is refused anyway.
"""

from gateway.fronts.graphql.document.cost import Estimate
from gateway.fronts.graphql.document.document import Document, Operation
from gateway.fronts.graphql.document.documents import Documents
from gateway.fronts.graphql.document.limits import Limits

__all__ = ["Document", "Documents", "Estimate", "Limits", "Operation"]
