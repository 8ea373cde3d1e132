"""From a request to a method and its message: templates, router, binding.

    escape      percent-decoding, strict
    template    a path template, parsed
    rules       HTTP rules held against the protos, at start-up
    table       which of all templates match a path, and which of them first
    router      an HTTP method and a raw path to a route and what its variables captured
    query       a query or form as names and values
    values      the text of one value to the value of a field
    parameters  what a parameter's name means; `settings` a whole query, checked against itself
    plan        what is known of a rule before its first request
    binding     path, query and body to the serialized request message
    metadata    headers to metadata, and back
    timeout     how long the client will wait
    caller      what all calls of one request carry

Nothing here awaits, and nothing knows the configuration, backends, or who answers.
"""
