"""The doors to the world outside: the model gateway; only gateways read Secrets."""
