"""What holds for one RPC, in lines: each with its value, and what set it.

`gateway explain` prints them of a config, the admin listener tells them of the generation that
serves.
"""
