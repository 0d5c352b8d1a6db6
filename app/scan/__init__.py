"""The scan pipeline: a diff and an index make a report. Pure."""
