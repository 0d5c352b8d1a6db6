"""Unpacking releases within limits: archives are read as streams, nothing is ever extracted by name.

limits        what an archive may cost, and the account that is kept while it is read
names         which member names are paths inside the tree
streams       gzip, bzip2, xz, zstd or plain bytes as one bounded stream
tar zip folder debian_diff      each a generator of entries
spool         what was read, in a few large files
unpack        the loop over entries; `read` runs it in a sandbox child
"""
