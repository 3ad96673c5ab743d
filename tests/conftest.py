"""How property tests choose their examples, in every tier."""

import os

from hypothesis import settings

# A change lands or not by what it holds, not by luck; at home each run tries something new.
# Half of what hypothesis takes by itself. More: COXSWAIN_EXAMPLES=5000 hack/test unit -- -k WORDS
EXAMPLES = int(os.environ.get("COXSWAIN_EXAMPLES", "50"))
settings.register_profile("ci", derandomize=True, deadline=None, max_examples=EXAMPLES)
settings.register_profile("home", deadline=None, max_examples=EXAMPLES)
settings.load_profile("ci" if os.environ.get("CI") else "home")
