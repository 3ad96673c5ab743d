"""Each number of an attempt's own events stands once in the log; what the agent was answered stands, without a hole."""

from collections import defaultdict
from collections.abc import Iterator

from tests.faults.history import Body, Breach, History

Log = dict[tuple[str, int], dict[int, list[str]]]


def breaches(history: History) -> Iterator[Breach]:
    """At the end."""
    log: Log = defaultdict(lambda: defaultdict(list))
    for stored in history.events:
        event = stored.event
        if event.seq is not None:
            log[str(event.uid), event.attempt or 0][event.seq].append(str(event.id))
    for (job, attempt), numbers in log.items():
        for seq, ids in numbers.items():
            if len(ids) > 1:
                yield Breach(
                    0, f"event {seq} of attempt {attempt} of {job} stands {len(ids)} times"
                )
    for about, answer in history.answered("events"):
        yield from _taken(log, about, answer)


def _taken(log: Log, about: Body, answer: Body) -> Iterator[Breach]:
    """Of a batch that was answered."""
    numbers = log[about["job"], about["attempt"]]
    where = f"attempt {about['attempt']} of {about['job']}"
    for seq, sent in about["events"].items():
        if sent not in numbers.get(int(seq), ()):
            yield Breach(0, f"event {seq} of {where} was taken, and is not in the log")
    holes = [seq for seq in range(1, answer["lastSeq"] + 1) if seq not in numbers]
    if holes:
        yield Breach(0, f"{where} was told that all stands to {answer['lastSeq']}; {holes} do not")
