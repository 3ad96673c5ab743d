"""Fixtures that every tier may ask for, and how property tests choose their examples."""

import os

from hypothesis import settings

pytest_plugins = ["tests.support.postgres"]

# A change lands or not by what it holds, not by luck; at home each run tries something new.
settings.register_profile("ci", derandomize=True, deadline=None)
settings.register_profile("home", deadline=None)
settings.load_profile("ci" if os.environ.get("CI") else "home")
