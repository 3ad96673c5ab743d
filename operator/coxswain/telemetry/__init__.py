"""What the one on call reads: log lines and metrics. Never a secret, a token or a body."""
