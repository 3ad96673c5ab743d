"""Who is calling: agent pods by their own projected token, people by a local one.

Tokens are verified offline with the cluster's published keys, which Postgres keeps, so nothing
here waits for the Kubernetes API.
"""
