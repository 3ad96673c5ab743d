"""The proxy between one replica and the API server: plain HTTP on one side, the replica's account on the other."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import orjson
from aiohttp import web
from yarl import URL

from tests.faults.director import Director
from tests.faults.plan import SERVERS, Deed, Fault
from tests.faults.proxy import statuses, targets
from tests.faults.proxy.hands import Hands
from tests.faults.proxy.relay import Relay
from tests.faults.proxy.seen import Exchange, Trace

BODY_BYTES = 2**26
# Of one hop only, or the proxy's own business: the account, and what was packed cannot be read here.
HOP = frozenset(
    {"host", "connection", "keep-alive", "transfer-encoding", "content-length"}
    | {"accept-encoding", "authorization"}
)
PLAIN = {"Accept-Encoding": "identity"}


class KubeProxy:
    """Passes everything on, but where a fault is due."""

    def __init__(self, upstream: str, director: Director, trace: Trace, hands: Hands) -> None:
        """``upstream`` is the API server's address."""
        self._upstream = upstream
        self._director = director
        self._trace = trace
        self._hands = hands
        self._session: aiohttp.ClientSession | None = None
        self._watches: set[asyncio.Task[Any]] = set()

    @asynccontextmanager
    async def serving(self, tls: ssl.SSLContext) -> AsyncIterator[str]:
        """Its address, for the length of a block; ``tls`` shows the account."""
        connector = aiohttp.TCPConnector(ssl=tls, limit=0)
        limits = aiohttp.ClientTimeout(total=None)
        app = web.Application(client_max_size=BODY_BYTES)
        app.router.add_route("*", "/{rest:.*}", self._handle)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        async with aiohttp.ClientSession(connector=connector, timeout=limits) as session:
            self._session = session
            await runner.setup()
            try:
                await web.TCPSite(runner, "127.0.0.1", 0).start()
                yield f"http://127.0.0.1:{runner.addresses[0][1]}"
            finally:
                await runner.cleanup()
                await self._end_watches()

    async def _end_watches(self) -> None:
        """End those whose replica has gone: the server knows of them no more, and they wait for the next event."""
        left = list(self._watches)
        for each in left:
            each.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        target = targets.of(request.method, request.path, request.query)
        data = await request.read()
        exchange = Exchange(self._trace.now(), self._hands.name, target, _sent(data))
        self._trace.exchanges.append(exchange)
        fault = self._director.on_request(self._hands.name, target)
        try:
            return await self._answer(request, data, exchange, fault)
        except aiohttp.ClientError:
            return _cut(request)

    async def _answer(
        self, request: web.Request, data: bytes, exchange: Exchange, fault: Fault | None
    ) -> web.StreamResponse:
        is_watch = exchange.target.verb == "watch"
        if fault is not None and (is_watch or fault.when == "before"):
            instead = await self._instead(fault, request)
            if instead is not None:
                return instead
        if is_watch:
            task = asyncio.current_task()
            assert task is not None
            self._watches.add(task)
            task.add_done_callback(self._watches.discard)
            return await self._watch(request, exchange)
        back = fault.seconds if fault is not None and fault.do is Deed.OLD else None
        answer = await self._forwarded(request, data, exchange, back)
        if fault is not None and fault.when == "after":
            return await self._instead(fault, request) or answer
        return answer

    async def _instead(self, fault: Fault, request: web.Request) -> web.Response | None:
        """What happens instead of what comes next; None: nothing does, it goes on."""
        seconds = fault.seconds or 0.0
        match fault.do:
            case Deed.KILL:
                self._hands.kill()
                return _cut(request)
            case Deed.FREEZE:
                self._hands.freeze(seconds)
            case Deed.DELAY:
                await asyncio.sleep(seconds)
            case Deed.LOSE:
                return _cut(request)
            case Deed.HANG:
                await asyncio.sleep(seconds)
                return _cut(request)
            case Deed.ANSWER:
                return _refusal(fault)
            case Deed.KILL_APISERVER | Deed.KILL_ETCD:
                self._hands.kill_server(SERVERS[fault.do], seconds)
                # The API server takes its answer with it; without etcd it goes on to ask.
                return _cut(request) if fault.do is Deed.KILL_APISERVER else None
            case Deed.OLD:
                pass
            case _:
                raise ValueError(f"{fault.do} is not for requests")
        return None

    async def _forwarded(
        self, request: web.Request, data: bytes, exchange: Exchange, back: float | None
    ) -> web.Response:
        """Have it done; a list, as it was ``back`` seconds ago."""
        version = None if back is None else self._trace.version_at(exchange.at - back)
        more = {}
        if version is not None and "continue" not in request.query:
            more = {"resourceVersion": str(version), "resourceVersionMatch": "Exact"}
        async with self._asked(request, data, more) as answered:
            found = await answered.read()
            headers = _passed(answered.headers)
            exchange.status = answered.status
        exchange.version = _version(found) if exchange.target.is_write else None
        if exchange.holder:
            self._director.leads(exchange.replica)
        return web.Response(status=exchange.status, body=found, headers=headers)

    async def _watch(self, request: web.Request, exchange: Exchange) -> web.StreamResponse:
        async with self._asked(request, b"", {}) as answered:
            exchange.status = answered.status
            if not exchange.is_done:
                found, headers = await answered.read(), _passed(answered.headers)
                return web.Response(status=answered.status, body=found, headers=headers)
            stream = web.StreamResponse(headers=_passed(answered.headers))
            await stream.prepare(request)
            relay = Relay(self._director, self._trace, self._hands, exchange.target.resource)
            try:
                if await relay.run(answered.content, stream.write) == "cut":
                    return _cut(request)
                await stream.write_eof()
            except ConnectionError:
                # The replica has gone: killed, or it had enough.
                return stream
        return stream

    @asynccontextmanager
    async def _asked(
        self, request: web.Request, data: bytes, more: dict[str, str]
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        assert self._session is not None
        url = URL(self._upstream + request.raw_path, encoded=True)
        if more:
            url = url.update_query(more)
        async with self._session.request(
            request.method,
            url,
            data=data or None,
            headers={**_passed(request.headers), **PLAIN},
            allow_redirects=False,
            read_bufsize=2**20,
        ) as answered:
            yield answered


def _cut(request: web.Request) -> web.Response:
    """Break the connection; what is returned finds nobody any more."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


def _refusal(fault: Fault) -> web.Response:
    status = fault.status or 500
    headers = {} if fault.retry_after is None else {"Retry-After": fault.retry_after}
    return web.json_response(statuses.body(status), status=status, headers=headers)


def _passed(headers: Any) -> dict[str, str]:
    return {name: text for name, text in headers.items() if name.lower() not in HOP}


def _sent(data: bytes) -> Any:
    try:
        return orjson.loads(data) if data else None
    except orjson.JSONDecodeError:
        return data.decode(errors="replace")


def _version(data: bytes) -> int | None:
    found = _sent(data)
    if not isinstance(found, dict):
        return None
    text = str((found.get("metadata") or {}).get("resourceVersion") or "")
    return int(text) if text.isdecimal() else None
