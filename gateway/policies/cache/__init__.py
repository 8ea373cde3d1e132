"""Replies of methods without side effects: kept for a while, and fetched once for equal calls.

`keys` says which calls are equal, `freshness` for how long a reply holds, `kept` what is kept of
it, `keeping` brings these together, with `tags` by which it is purged and the `headers` that its
client is told. `flights` has equal calls made once; `fetch` makes one and has its reply kept,
`refresh` does so beside a stale one's use, `waiting` completes those who waited. `bykey` answers
the calls of lookups key by key.

Three policies stand on them: `cache`, over a store in memory; `shared`, over one that gateways
share, in which things lie as `blob` writes them; and `coalesce`, which keeps nothing.
"""
