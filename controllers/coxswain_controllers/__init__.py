"""One room per kind, each with the same furniture: handlers, observe, decide, status."""
