"""Rows while the database is away."""

from uuid import uuid4

from coxswain.errors import UnavailableError
from coxswain.gateway import backlog
from coxswain.gateway.backlog import Backlog
from coxswain.store.usage import Call
from coxswain.telemetry import metrics


def call() -> Call:
    return Call(
        id=uuid4(),
        workspace="team",
        agent_name="reader",
        job_uid=str(uuid4()),
        attempt=1,
        alias="main",
        provider="demo",
        model="demo",
        milliseconds=1,
        streamed=False,
        outcome="ok",
    )


class Rows:
    """A table that can be away."""

    def __init__(self) -> None:
        self.away = False
        self.kept: list[Call] = []

    async def write(self, row: Call) -> None:
        if self.away:
            raise UnavailableError("away")
        self.kept.append(row)


async def test_a_row_waits_for_the_database_and_the_call_goes_on() -> None:
    rows = Rows()
    log = Backlog(rows.write, metrics.USAGE_LOST)
    made = [call(), call(), call()]
    rows.away = True
    await log.record(made[0])
    await log.record(made[1])
    await log.flush()
    assert rows.kept == []
    rows.away = False
    await log.record(made[2])
    await log.flush()
    assert rows.kept == [made[2], made[0], made[1]]


async def test_waiting_rows_are_bounded_and_the_newest_stay() -> None:
    rows = Rows()
    log = Backlog(rows.write, metrics.USAGE_LOST)
    rows.away = True
    made = [call() for _ in range(backlog.WAITING + 2)]
    for row in made:
        await log.record(row)
    rows.away = False
    await log.flush()
    assert rows.kept == made[2:]
