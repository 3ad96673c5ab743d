"""CPU as the kernel counts it."""

import asyncio
import os
import subprocess
import sys
import time

from tests.bench import spending
from tests.bench.spending import Meter, Spent

BUSY = "import time\nwhile time.process_time() < 0.3: pass\n"


def test_what_nobody_here_spent_is_that_of_others() -> None:
    before = Spent(1.0, {"a": 1.0, "b": 2.0, "all": 10.0})
    after = Spent(2.0, {"a": 1.5, "b": 2.25, "all": 11.0})
    assert after.since(before) == {"a": 0.5, "b": 0.25, spending.OTHERS: 0.25}


def test_others_are_never_less_than_nothing() -> None:
    before = Spent(1.0, {"a": 1.0, "all": 10.0})
    assert Spent(2.0, {"a": 1.5, "all": 10.4}).since(before)[spending.OTHERS] == 0.0


def test_the_time_of_a_child_counts_also_after_its_end() -> None:
    before = spending.family_seconds(os.getpid())
    subprocess.run([sys.executable, "-c", BUSY], check=True)
    assert spending.family_seconds(os.getpid()) - before >= 0.25


def test_the_time_of_a_child_counts_while_it_lives() -> None:
    before = spending.family_seconds(os.getpid())
    script = f"{BUSY}print('done', flush=True)\ninput()\n"
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert child.stdout is not None
        child.stdout.readline()
        spent = spending.family_seconds(os.getpid()) - before
        child.kill()
    assert spent >= 0.25


def test_the_time_of_a_child_is_not_ones_own() -> None:
    before = spending.own_seconds(os.getpid())
    subprocess.run([sys.executable, "-c", BUSY], check=True)
    assert spending.own_seconds(os.getpid()) - before < 0.25


def test_rest_begins_when_nothing_more_is_spent() -> None:
    script = f"{BUSY}while time.process_time() < 0.9: pass\ninput()\n"
    with subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE) as child:
        began = time.monotonic()
        at = asyncio.run(Meter({"child": child.pid}).rest(longest_seconds=20))
        child.kill()
    assert at - began >= spending.LOOK_SECONDS


def test_a_process_has_held_some_memory() -> None:
    assert 1 < spending.peak_megabytes(os.getpid()) < 100_000
