"""The kinds and the agent contract as types, and the CRDs made from them. No I/O, no clock."""
