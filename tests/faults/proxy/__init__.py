"""What stands between a replica of the operator and what it talks to."""
