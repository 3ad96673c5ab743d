"""How property tests choose their examples, in every tier."""

import os

from hypothesis import settings

# A change lands or not by what it holds, not by luck; at home each run tries something new.
settings.register_profile("ci", derandomize=True, deadline=None)
settings.register_profile("home", deadline=None)
settings.load_profile("ci" if os.environ.get("CI") else "home")
