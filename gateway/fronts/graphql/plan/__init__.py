"""What a document needs: RPCs by level, batches, projections. Made once, run many times.

writing     input values into messages
request     a field's arguments to the bytes of a request
generated   the functions that are made of a selection
leaves      the JSON of each kind of field
objects     an object's selection: what writes it, and the edges below it
edges       joins: keys of parents, answers by key
planner     an operation's plan
"""
