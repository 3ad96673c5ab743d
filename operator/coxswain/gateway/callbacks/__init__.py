"""Callbacks: what the outbox owes is posted to its receivers, signed, through the one way to the outside."""
