"""What every HTTP server of ours shares: errors, request ids, health."""
