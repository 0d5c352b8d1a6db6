"""The only door to a sketch: `corpus.fingerprint.sketch.sketch`, used by both pipelines.

hashing (64-bit hashes of runs of tokens), winnow (which of them are kept), minhash (bands of code units).
"""
