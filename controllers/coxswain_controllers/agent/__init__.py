"""The room of the Agent."""
