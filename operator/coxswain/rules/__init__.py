"""Pure rules: what counts as which outcome, what is tried again, what fits into a quota."""
