"""Where time is spent: one module for each arq process, and what they share."""
