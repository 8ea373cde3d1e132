"""Which document a request means, and whether it may: by name, by hash, by text.

| a request has | it means |
| --- | --- |
| `documentId: "Home"` | the trusted operation of that name |
| `documentId: "sha256:…"`, or the hash alone | the document of that SHA-256 |
| `extensions.persistedQuery` | likewise; with `query`, the text is stored (Apollo's protocol) |
| `query` | the text, which is that of a trusted document or any other |

GraphQL over HTTP, appendix "Persisted Documents"; a name is its custom document identifier. Where
only trusted documents are served, all others are refused before they are even parsed.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256

from gateway.fronts.graphql.document import Document, Documents
from gateway.fronts.graphql.engine import Found
from gateway.fronts.graphql.errors import RefusalCode, RequestError, refusal
from gateway.fronts.graphql.serve.engine import GraphqlRequest
from gateway.fronts.graphql.trusted.automatic import Automatic
from gateway.fronts.graphql.trusted.reading import Trusted

_SHA256 = "sha256:"


class Lookup:
    """Finds documents. Its `find` is what an engine asks.

    Args:
        documents: The cache of documents that are not trusted.
        trusted: Those that are.
        only: Whether all others are refused.
        automatic: Keeps texts by their hashes (APQ); None where clients may not store any. Where
            only trusted documents are served, none is stored.
    """

    def __init__(
        self,
        documents: Documents,
        trusted: Trusted,
        *,
        only: bool = False,
        automatic: Automatic | None = None,
    ) -> None:
        self._documents = documents
        self._trusted = trusted
        self._only = only
        self._automatic = None if only else automatic

    def find(self, request: GraphqlRequest) -> Found:
        """Returns what a request asks to run.

        Raises:
            RequestError: It means no document, one that may not be run, or one that is wrong.
        """
        name = request.operation_name
        if request.document_id is not None:
            if request.query is not None:
                raise _bad("Send query or documentId, not both.")
            if known := self._trusted.operations.get(request.document_id):
                document, name = known.document, name or known.name
            else:
                document = self._named(request.document_id)
        elif "persistedQuery" in (request.extensions or {}):
            document = self._persisted(request)
        elif request.query is not None:
            document = self._text(request.query)
        else:
            raise _bad("Must provide a query.")
        return Found(document, document.operation(name))

    def _named(self, identifier: str) -> Document:
        document = self._hashed(identifier.removeprefix(_SHA256))
        if document is None:
            message = "There is no document of this documentId."
            raise refusal(RefusalCode.PERSISTED_QUERY_NOT_FOUND, message)
        return document

    def _persisted(self, request: GraphqlRequest) -> Document:
        digest = _digest((request.extensions or {})["persistedQuery"])
        if request.query is not None:
            return self._stored(digest, request.query)
        document = self._hashed(digest)
        if document is not None:
            return document
        # Clients know these two by their messages too.
        if self._automatic is None:
            code = RefusalCode.PERSISTED_QUERY_NOT_SUPPORTED
            raise refusal(code, "PersistedQueryNotSupported")
        raise refusal(RefusalCode.PERSISTED_QUERY_NOT_FOUND, "PersistedQueryNotFound")

    def _stored(self, digest: str, text: str) -> Document:
        if sha256(text.encode("utf-8", "surrogatepass")).hexdigest() != digest:
            raise _bad("The persistedQuery's sha256Hash is not that of the query.")
        document = self._text(text)
        if self._automatic is not None and text not in self._trusted.by_text:
            self._automatic.keep(digest, text)
        return document

    def _hashed(self, digest: str) -> Document | None:
        known = self._trusted.by_digest.get(digest)
        if known is not None:
            return known
        if self._only:
            raise _untrusted()
        text = self._automatic.get(digest) if self._automatic is not None else None
        return None if text is None else self._documents.get(text)

    def _text(self, text: str) -> Document:
        known = self._trusted.by_text.get(text)
        if known is not None:
            return known
        if self._only:
            raise _untrusted()
        return self._documents.get(text)


def _digest(given: object) -> str:
    """Returns the hash that a `persistedQuery` names."""
    if not isinstance(given, Mapping) or given.get("version") != 1:
        raise _bad("The extension persistedQuery must be an object of version 1.")
    digest = given.get("sha256Hash")
    if not isinstance(digest, str):
        raise _bad("The persistedQuery's sha256Hash must be a string.")
    return digest


def _bad(message: str) -> RequestError:
    return refusal(RefusalCode.BAD_REQUEST, message)


def _untrusted() -> RequestError:
    message = "Only documents that the gateway knows are served here."
    return refusal(RefusalCode.UNTRUSTED_DOCUMENT, message)
