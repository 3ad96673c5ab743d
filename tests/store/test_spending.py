"""CPU of processes as the kernel counts it, for the benches."""

import asyncio
import os
import subprocess
import sys
import time

from tests.bench import spending
from tests.bench.spending import Meter

BUSY = "import time\nwhile time.process_time() < 0.3: pass\n"


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
