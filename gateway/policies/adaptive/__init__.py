"""A bound on calls at a time that finds its own number, and a short queue before it.

`gradient` learns how many calls an upstream takes before it slows down, from how long they take
next to `usual`, what they take without a queue. `turns` lets in as many, has some wait by priority
(`lines`), and sheds the rest. `gate` is the policy. All but the gate know no event loop.
"""
