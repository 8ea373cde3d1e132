"""Replies of methods without side effects: kept for a while, and fetched once for equal calls.

`keys` says which calls are equal, `freshness` for how long a reply holds, `kept` what is kept of
it, `headers` what its client is told of that, `tags` by which it is purged. `flights` has equal
calls made once. `cache` is the policy that brings these together, over a store in memory or a
shared one (`store`); `coalesce` is the policy that only has equal calls made once. `bykey` answers
the calls of lookups key by key.
"""
