"""What a block knows of its lease by its own clock."""

import dataclasses
import json
from dataclasses import dataclass, field

import httpx
import pytest

from coxswain.client import Client, errors
from tests.support.calls import URL, Script, refusal, script

LEASE = {
    "workspace": "team",
    "name": "deploy",
    "id": "1",
    "resource": "git:deploy",
    "state": "Held",
    "token": 7,
    "ttlSeconds": 30,
    "waiters": 0,
}


@dataclass
class Desk:
    """Gives the lease, and takes a while to renew it; ``said`` is its clock."""

    said: Script = field(default_factory=lambda: script(refusal(503)))
    seconds: float = 0.0
    releases: list[httpx.Response] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    waits: list[int] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        what = request.url.path.rpartition("/")[2]
        self.asked.append(what)
        if what == "acquire":
            self.waits.append(json.loads(request.content)["waitSeconds"])
        if what == "renew":
            self.said.now += self.seconds
        if what == "release" and self.releases:
            return self.releases.pop()
        return httpx.Response(200, json=LEASE)

    def ticking(self) -> float:
        """A clock that goes on while it is looked at."""
        self.said.now += 0.001
        return self.said.now

    def client(self) -> Client:
        way = httpx.MockTransport(self)
        return Client(URL, transport=way, pacing=self.said.pacing, sleep=self.said.sleep)


def test_a_lease_is_kept_for_its_time_from_before_it_was_asked_for() -> None:
    desk = Desk(seconds=20)
    with desk.client().leases.hold("team", "deploy") as held:
        desk.said.now += 9
        assert held.require() == 7
        desk.said.now += 2
        with pytest.raises(errors.LeaseLostError, match="could not be renewed in time"):
            held.require()
    assert desk.asked == ["acquire", "renew", "release"]


def test_a_wait_in_line_takes_nothing_from_its_time() -> None:
    desk = Desk()
    with desk.client().leases.hold("team", "deploy", wait_seconds=60) as held:
        desk.said.now += 29
        assert held.is_kept


def test_a_short_wait_is_a_wait_also_on_a_clock_that_goes_on() -> None:
    desk = Desk()
    pacing = dataclasses.replace(desk.said.pacing, clock=desk.ticking)
    way = httpx.MockTransport(desk)
    with (
        Client(URL, transport=way, pacing=pacing, sleep=desk.said.sleep) as client,
        client.leases.hold("team", "deploy", wait_seconds=1),
    ):
        pass
    assert desk.waits == [1]


def test_a_lease_that_turns_out_to_be_lost_at_the_end_ends_the_block_with_that() -> None:
    desk = Desk(releases=[refusal(409, "lease_not_held")])
    with (
        pytest.raises(errors.LeaseLostError) as caught,
        desk.client().leases.hold("team", "deploy"),
    ):
        pass
    assert caught.value.code == "lease_not_held"


def test_an_end_that_nobody_hears_does_not_fail_the_block() -> None:
    desk = Desk(releases=[refusal(503) for _ in range(6)])
    with desk.client().leases.hold("team", "deploy"):
        pass
    assert desk.asked.count("release") == 6
