"""Builds the project's images by content: what did not change is neither built nor loaded again."""
