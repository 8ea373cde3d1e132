"""Trusted documents: files that the gateway knows at its start, and the REST views made of them.

In the order of their way:

    directive     what `@rest` says of an operation, judged against its variables and its answer
    reading       files to documents: validated and priced, with every mistake at once
    automatic     the texts that clients stored by their hash (automatic persisted queries)
    lookup        which document a request means: by name, by hash, by text
    texts         the text of a path or a query as the value of a variable
    inputs        a view's variables from path, query and body
    outcome       what of an answer failed: the error of a view, or the parts that are missing
    view          the route of one view
    views         the routes of all views

A file is one document: its SHA-256 names its text, so it shares no fragments with other files.
"""
