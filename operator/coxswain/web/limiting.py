"""How often one caller may ask this process, and the headers that tell: RateLimit-Policy, RateLimit, Retry-After.

Each replica counts by itself, in memory: a caller who spreads requests over n of them may ask n times as
often. The headers are those of the draft ietf-httpapi-ratelimit-headers-11.
"""

import time
from collections import OrderedDict
from collections.abc import Callable

from aiohttp import web

from coxswain.errors import TransientError
from coxswain.rules import rates
from coxswain.rules.rates import Bucket, Rate, Standing
from coxswain.telemetry import pool_metrics
from coxswain.web import problems

MOST_CALLERS = 10_000
"""Callers that are remembered; who has not asked for longest is forgotten, and starts with a full bucket."""
STANDING: web.RequestKey[Standing] = web.RequestKey("standing", Standing)


class Limiter:
    """Counts the requests of each caller."""

    def __init__(
        self,
        whose: Callable[[object], tuple[str, Rate]],
        *,
        clock: Callable[[], float] = time.monotonic,
        most_callers: int = MOST_CALLERS,
    ) -> None:
        """``whose`` says who a caller is and how often they may ask."""
        self._whose = whose
        self._clock = clock
        self._most_callers = most_callers
        self._buckets: OrderedDict[str, Bucket] = OrderedDict()

    def take(self, caller: object) -> Standing:
        """Count a request of this caller."""
        name, rate = self._whose(caller)
        now = self._clock()
        bucket = self._buckets.pop(name, None) or rates.full(rate, now)
        self._buckets[name] = bucket
        if len(self._buckets) > self._most_callers:
            self._buckets.popitem(last=False)
        return rates.take(bucket, rate, now)


LIMITER: web.AppKey[Limiter] = web.AppKey("limiter", Limiter)


def count(request: web.Request, caller: object) -> None:
    """Count a request, if its server limits them. Raises TransientError rate_limited."""
    limiter = request.app.get(LIMITER)
    if limiter is None or caller is None:
        return
    request[STANDING] = standing = limiter.take(caller)
    if standing.is_over:
        pool_metrics.RATE_LIMITED.inc()
        rate = standing.rate
        text = f"you may ask {rate.per_second:g} times a second, {rate.burst} times at once; wait"
        raise TransientError(text, code=problems.RATE_LIMITED, retry_after_seconds=standing.wait)


def tell(request: web.Request, response: web.StreamResponse) -> None:
    """Put into an answer how its caller stands."""
    standing: Standing | None = request.get(STANDING)
    if standing is None:
        return
    rate = standing.rate
    response.headers["RateLimit-Policy"] = f'"{rate.name}";q={rate.burst};w={rate.window}'
    response.headers["RateLimit"] = f'"{rate.name}";r={standing.left};t={standing.full_in}'
