"""The page for people, of a server's document."""

import re

from tests.unit.web.test_server import running


async def test_the_page_lists_every_route_and_loads_nothing() -> None:
    async with running() as client, client.get("/docs") as answer:
        page = await answer.text()
    assert "POST /v1/things/{name}" in page
    assert "path name" in page
    assert "id='Thing'" in page
    for loads in ("http://", "https://", "<script", "<link", "src=", "url(", "@import"):
        assert loads not in page
    assert {each for each in re.findall("href='([^']*)'", page) if not each.startswith("#")} == {
        "/v1/openapi.json"
    }
