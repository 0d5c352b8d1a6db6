"""Measurements: speed, memory, quality. Run as modules; each prints a table and how it was made."""
