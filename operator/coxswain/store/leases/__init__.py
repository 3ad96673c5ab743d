"""Leases in the records: who has the exclusive right to what, until when by the database's clock.

rows        what stands, read and locked
holding     take, renew, let go: for people, programs and runs
lines       who waits, in which order
of_runs     what a run is given with its start, and lets go with its end
keeping     what the operator does: define, reclaim, remove
telling     what follows each change: events, wake-ups

Whoever locks several sorts of rows does it in this order: runs, leases by workspace and name, tickets,
wakes, the head of the event log. Who changes lines or waits in many calls others on the way, and so
touches tickets and wakes in turns: of two such that block each other Postgres ends one, which is repeated.
"""
