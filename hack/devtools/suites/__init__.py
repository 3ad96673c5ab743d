"""Named suites that show on a running installation what it promises."""
