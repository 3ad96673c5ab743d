"""Handlers of the built-in job types: plain programs that know two files and the door."""
