"""The room of the kind Agent."""
