"""Developer tooling: pinned programs, a test control plane, the developer cluster, its images.

Standard library only and no import of the platform, because it runs on a bare machine before
any virtual environment exists.
"""
