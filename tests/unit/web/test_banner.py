"""The line by which a process says what it has started."""

import asyncio
from typing import Any

from structlog.testing import capture_logs

from coxswain.api.standing import Role
from coxswain.errors import UnavailableError
from coxswain.web.banner import Banner
from coxswain.web.health import Health
from coxswain.web.readiness import Dependency


async def bad() -> None:
    raise UnavailableError("away")


async def ends_at_once() -> None:
    return


async def goes_on() -> None:
    await asyncio.Event().wait()


class Named:
    """What is only called run has the name of its module."""

    async def run(self) -> None:
        await asyncio.Event().wait()


async def told(banner: Banner, **more: object) -> dict[str, Any]:
    with capture_logs() as lines:
        await banner.say(Health(Dependency("postgres", bad)), Role.LEADER, **more)
    (line,) = lines
    return dict(line)


async def test_it_names_parts_with_their_state_ports_dependencies_and_role() -> None:
    banner = Banner("operator", settle_seconds=0)
    banner.opened(health=9091)
    begun = [banner.begin(each) for each in (goes_on(), ends_at_once(), Named().run())]
    line = await told(banner, workspaces=["demo"])
    for each in begun:
        each.cancel()
    assert (line["event"], line["component"], line["role"]) == ("started", "operator", "leader")
    assert line["parts"] == {
        "ends_at_once": "ended",
        "goes_on": "running",
        "test_banner": "running",
    }
    assert line["ports"] == {"health": 9091}
    assert line["dependencies"] == {"postgres": "broken"}
    assert line["workspaces"] == ["demo"]


async def test_every_task_of_its_group_is_a_part() -> None:
    banner = Banner("sidecar", settle_seconds=0)
    async with banner.group() as group:
        task = group.create_task(goes_on())
        line = await told(banner)
        task.cancel()
    assert line["parts"] == {"goes_on": "running"}


async def test_a_part_of_which_one_has_ended_has_ended() -> None:
    banner = Banner("sidecar", settle_seconds=0)
    first, second = banner.begin(goes_on()), banner.begin(goes_on())
    first.cancel()
    line = await told(banner)
    second.cancel()
    assert line["parts"] == {"goes_on": "ended"}


async def test_it_waits_a_moment_for_what_comes_up_after_the_start() -> None:
    outcomes = iter([UnavailableError("not yet")])

    async def late() -> None:
        for error in outcomes:
            raise error

    with capture_logs() as lines:
        await Banner("sidecar").say(Health(Dependency("queue", late)), Role.ACTIVE)
    assert lines[-1]["dependencies"] == {"queue": "ok"}
