"""Where time is spent: the processes that run scans, ingestion and index builds for the service."""
