"""The operator as a process: start, leadership, streams, clean stop."""
