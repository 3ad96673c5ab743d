"""The Lease's room: has the records stand for each Lease, hands on what was unclear, shows who holds it."""
