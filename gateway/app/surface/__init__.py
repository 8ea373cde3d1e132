"""What clients meet of a gateway, as data: what two of them can be compared by.

`model` says what that is, `reading` takes it from a generation, `types` from descriptors, and
`stored` writes it to a file and reads it again. What a change of it means is `compatibility`'s.
"""
