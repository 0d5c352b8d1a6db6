"""Immutable segments (one release each) and published snapshots (their merged, mapped lookup tables).

blocks (mapped files whose blocks are verified when first read), table (hash → ids), segment, snapshot,
catalog (which releases are in, what is published), lsh (datasketch's MinHashLSH over the mapped table).
"""
