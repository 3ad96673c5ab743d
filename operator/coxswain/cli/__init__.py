"""The command line: what people run on their own machines, without a cluster or a database."""
