"""Answers that are made up: what a method's backend might say, from its descriptors alone.

Nothing is stored, and nothing is asked. A value follows from a seed and from what it is of, so the
same request has the same answer in every process and after every start (`dice`). What a field may
hold is told by its type, its name, its rules, its comment (`declared`, `texts`, `numbers`,
`well_known`, `messages`); what a method answers by its request and reply (`shape`, `answers`).
Answers that somebody wrote come first (`written`). `upstream` takes the calls.

It keeps no state: what a call creates, the next one does not find.
"""
