"""The client with ``await``: the hand-written one."""
