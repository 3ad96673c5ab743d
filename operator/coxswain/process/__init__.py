"""The operator's process: host of kopf, election, and what keeps both honest."""
