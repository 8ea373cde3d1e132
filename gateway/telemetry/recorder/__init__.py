"""The flight recorder: the last requests and calls, for who asks why one went as it did.

`judging` says which are kept, `account` what is kept of one, `shelf` for how long, `recorder` does
it, and `explaining` makes of what was kept the answer to why. `tap` follows what is asked now.
"""
