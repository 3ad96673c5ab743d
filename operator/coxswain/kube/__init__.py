"""The way to the API server: the only room that speaks its protocol, in plain dicts."""
