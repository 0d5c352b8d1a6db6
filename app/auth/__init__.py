"""Who is asking: API keys, identity tokens of CI jobs, scopes."""
