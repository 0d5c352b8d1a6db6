"""The lookup tables of a snapshot on PostgreSQL nodes: hash → packed list, each hash on one node.

nodes (loading and asking, asynchronous), postgres (the same as a `corpus.index.lookup.Lookup`).
"""
