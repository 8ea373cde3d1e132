"""What callers used: counted, kept for days and months, and told.

The way through the modules: `counts` is what is counted, `ledger` counts in one process, `meter`
brings that once a second to where it is kept, numbered by `outbox`: the memory of a process
(`totals`), or Redis (`shared`). `question` is what can be asked of it, and `formats` how that is
written.
"""
