"""One run of a plan: its calls, its batches, and the JSON of its answer.

trouble       what goes wrong below a field, and how it finds its path
loading       keys collected into batches, answers by key
tasks         what Python's resolvers wait for
run           a query or mutation, driven by the completions of its calls
answer        the response: data, and errors beside it
incremental   a response in parts
events        a subscription: a run for each event
"""
