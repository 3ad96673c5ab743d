"""What our client sends along with each call."""

from aiohttp import web
from aiohttp.test_utils import TestServer

from coxswain.kube.client import REQUEST_ID, Client
from coxswain.kube.credentials import Credentials


async def test_a_call_carries_the_id_of_the_request_that_caused_it() -> None:
    seen: list[str | None] = []

    async def answer(request: web.Request) -> web.Response:
        seen.append(request.headers.get(REQUEST_ID))
        return web.json_response({})

    app = web.Application()
    app.router.add_get("/version", answer)
    ids = iter(["abc-1", ""])
    async with TestServer(app) as server:
        client = Client(
            Credentials(str(server.make_url("")).rstrip("/"), tls=None),
            request_id=lambda: next(ids),
        )
        await client.get("/version")
        await client.get("/version")
        await client.close()
    assert seen == ["abc-1", None]
