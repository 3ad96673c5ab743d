"""The Python client of the API: ``Client``, and the same with ``await``, ``AsyncClient``.

    requests frames retries    what is sent, what is read, when again: pure, shared by both
    models operations          made by hack/generate from the routes that the API serves
    asynchronous               written by hand
    synchronous                made from it by hack/generate, word for word

It knows the API and nothing else of the platform. docs/sdk.md shows it at work.
"""

from coxswain.api.retry_policy import ONCE, RetryPolicy
from coxswain.client.asynchronous.client import AsyncClient
from coxswain.client.errors import ClientError
from coxswain.client.new_events import NewEvent
from coxswain.client.synchronous.client import Client

__all__ = ["ONCE", "AsyncClient", "Client", "ClientError", "NewEvent", "RetryPolicy"]
