"""The room of the Job."""
