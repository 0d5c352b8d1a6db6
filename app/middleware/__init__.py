"""Pure ASGI layers round the API: request ids and logs, the gate, limits on headers and bodies."""
