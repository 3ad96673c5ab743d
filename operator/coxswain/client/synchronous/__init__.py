"""The client without ``await``: made from the other by hack/generate, but for waiting.py."""
