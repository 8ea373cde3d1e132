"""One run of a plan: its calls, its batches, and the JSON of its answer."""
