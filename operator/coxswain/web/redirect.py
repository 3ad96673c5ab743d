"""The plain port of a server that speaks TLS: it leads every request to https:// and answers nothing else."""

import re

from aiohttp import web

DEFAULT_PORT = 443
HOST = re.compile(
    r"^(?P<name>[A-Za-z0-9]([-.A-Za-z0-9]{0,251}[A-Za-z0-9])?|\[[0-9A-Fa-f:.]{2,45}\])(:\d{1,5})?$"
)


def build(to_port: int) -> web.Application:
    """The server; ``to_port`` is the one of https:// as users see it."""

    async def lead(request: web.Request) -> web.Response:
        found = HOST.match(request.headers.get("Host", ""))
        if found is None:
            return _end(web.Response(status=400, text="Host: a name is wanted\n"))
        port = "" if to_port == DEFAULT_PORT else f":{to_port}"
        place = f"https://{found['name']}{port}{request.rel_url.raw_path_qs}"
        return _end(web.Response(status=308, headers={"Location": place}))

    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", lead)
    return app


def _end(answer: web.Response) -> web.Response:
    # A body that was sent along is not read.
    answer.force_close()
    return answer
