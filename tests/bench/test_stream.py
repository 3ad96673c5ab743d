"""A thousand readers of one stream, a hundred events per second: the sidecar API beside nchan, in turns.

Run it with `hack/bench stream`; `--size` is the number of readers, `--seconds` how long is published.
"""

import asyncio
from pathlib import Path

from tests.bench import fanout, nchan
from tests.bench.conftest import Asked
from tests.bench.fanout import Load
from tests.bench.report import Report
from tests.support.postgres import Server

READERS = 1000
SECONDS = 30
PER_SECOND = 100


def test_readers_of_one_stream(asked: Asked, durable: Server, tmp_path: Path) -> None:
    messages = PER_SECOND * (asked.seconds or SECONDS)
    load = Load(asked.size or READERS, messages, PER_SECOND)
    setting = f"{load.readers:,} readers, {PER_SECOND} messages/s for {load.seconds:.0f} s"
    by_name = {each.name: each for each in fanout.ALL}
    versions = {"nchan": nchan.version()}
    report = Report("Stream", setting, list(by_name), fanout.LINES, asked.json, versions)
    for run in range(asked.runs):
        for name in report.order(run):
            database = durable.create()
            given = (by_name[name], durable, database, load, tmp_path)
            report.add(name, asyncio.run(fanout.measured(*given)))
            durable.drop(database)
    print(f"\n\n{report.text()}\n")
