"""The running API, for the tests of its routes."""

from tests.support.sidecar_api import api as api
