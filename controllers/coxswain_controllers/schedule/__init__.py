"""The room of the Schedule."""
