"""Postgres: the only room that knows it. SQL is written by hand, each statement explained.

Functions take a ``Connection`` and typed arguments, and return frozen dataclasses. They are called
through a ``Store``, which gives the connection, repeats what may be repeated, and turns errors of
the driver into ours:

    await store.run(mirror.get, "Job", workspace, name)            one statement
    await store.transact(claims.claim, key, pod)                   several, one transaction
    await leadership.fenced(store, epoch, runs.open_run, new_run)  the operator: checks the epoch
"""
