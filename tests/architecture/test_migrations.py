"""What a migration may not do to the event log: it is large, and who writes to it waits for nobody."""

import re

import pytest

from coxswain.store import migrate
from coxswain.store.migrations import script

FILES = sorted(each.name for each in (migrate.SCRIPTS / "versions").glob("*.sql"))
# The log is empty then.
FIRST = "0001_records.sql"
LOG = r"(public\.)?\"?events(_\w+)?\"?\s"
LOCKING = (
    # Made of every row that there is, while the whole log is locked.
    rf"CREATE (UNIQUE )?INDEX (CONCURRENTLY )?(IF NOT EXISTS )?\S+ ON (?!ONLY ){LOG}",
    # Whatever looks at all rows, or writes them anew.
    rf"ALTER TABLE (IF EXISTS )?(ONLY )?{LOG}[^;]*(SET NOT NULL|\bTYPE\b|ADD (CONSTRAINT|CHECK|UNIQUE|FOREIGN))",
    rf"(CLUSTER|REINDEX TABLE|VACUUM|UPDATE|DELETE FROM) (ONLY )?{LOG}",
)


def locks(sql: str) -> list[str]:
    """The statements that hold writers of the log up for as long as it is large."""
    plain = " ".join(re.sub(r"--[^\n]*", "", sql).split())
    found = (re.search(each, plain, re.IGNORECASE) for each in LOCKING)
    return [each[0] for each in found if each]


@pytest.mark.parametrize("name", [each for each in FILES if each != FIRST])
def test_no_migration_holds_up_who_writes_to_the_log(name: str) -> None:
    assert locks(script.text(name)) == []


def test_there_are_migrations_to_look_at() -> None:
    assert FIRST in FILES
    assert len(FILES) > 16
    assert locks((migrate.SCRIPTS / "versions" / FIRST).read_text())


@pytest.mark.parametrize(
    ("sql", "is_refused"),
    [
        ("CREATE INDEX events_by_actor ON events (actor);", True),
        ("create unique index\n  x on\tevents (id, actor);", True),
        ("CREATE INDEX x ON public.events (actor);", True),
        ("CREATE INDEX x ON events_other (actor);", True),
        ("CREATE INDEX IF NOT EXISTS x ON events USING gin (details);", True),
        ("ALTER TABLE events ALTER COLUMN uid SET NOT NULL;", True),
        ("ALTER TABLE events ALTER COLUMN seq TYPE numeric;", True),
        ("ALTER TABLE events ADD CONSTRAINT c CHECK (seq > 0);", True),
        ("UPDATE events SET version = 2;", True),
        ("CREATE INDEX events_by_actor ON ONLY events (actor);", False),
        ("-- CREATE INDEX x ON events (actor);\nSELECT 1;", False),
        ("CREATE INDEX x ON event_head (position);", False),
        ("ALTER TABLE events ADD COLUMN more text NOT NULL DEFAULT '';", False),
        ("CREATE INDEX x ON triggers (received_at);", False),
    ],
)
def test_what_holds_up_the_log_is_known(sql: str, is_refused: bool) -> None:
    assert bool(locks(sql)) is is_refused
