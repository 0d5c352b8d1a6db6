"""The command line: a shell round the scan pipeline and the corpus. Heavy modules load inside commands."""
