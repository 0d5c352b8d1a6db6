"""The service round the corpus: scans, policy, reports and the shells that carry them."""
