"""GraphQL over its protocols: HTTP, server-sent events, multipart, WebSocket.

front       what comes to the path: GET, POST, a page, an upgrade
cross_site  requests that a foreign page could make, refused
parameters  query or body to a request; `json_text`, the JSON that is taken
accept      what the client accepts
incoming    one request: its id, its caller, how it is refused
operation   one request run, and answered as it is wanted
batch       several in one body
events      responses as server-sent events
parts       a response in parts
engine      what all of them ask of the engine
"""
