"""Checks an export of the audit log against public keys, line by line, with nothing else at hand.

An export is JSON Lines: ``export``, then per workspace the ``seal`` lines of its chain, each followed
by its rows where the export shows them (``row``, or ``omitted`` with a digest), then rows that no seal
covers yet, and ``end`` with the counts. Whatever does not fit is a flaw, and none is passed over.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from coxswain.rules import audit_chain, audit_keys
from coxswain.rules.audit_keys import PublicKey

VERSION = 1
MOST_FLAWS = 100
Written = dict[str, Any]


@dataclass(frozen=True)
class Head:
    """The last seal of a workspace."""

    number: int
    digest: str


@dataclass
class Verdict:
    """What an export came to."""

    flaws: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    """What a reader should know, and what proves nothing wrong."""
    heads: dict[str, Head] = field(default_factory=dict)
    asked: Written = field(default_factory=dict)
    """What was asked for, as the export says it."""
    seals: int = 0
    rows: int = 0
    omitted: int = 0
    dropped: int = 0
    unsealed: int = 0

    @property
    def is_sound(self) -> bool:
        """Whether everything that it shows stands as it was sealed."""
        return not self.flaws


def verify(
    lines: Iterable[str],
    keys: Sequence[PublicKey],
    former: Mapping[str, Head] | None = None,
    *,
    allow_dropped: bool = False,
) -> Verdict:
    """Check an export. ``former`` are heads of an earlier one: this one must go on from them."""
    check = _Check(keys, dict(former or {}), allow_dropped)
    try:
        for number, line in enumerate(lines, 1):
            check.take(number, line)
        check.finish()
    except _TooManyError:
        check.verdict.notes.append("more is wrong than is shown")
    return check.verdict


class _TooManyError(Exception):
    """More flaws than anybody reads."""


class _Check:
    """Where the reading stands."""

    def __init__(
        self, keys: Sequence[PublicKey], former: dict[str, Head], allow_dropped: bool
    ) -> None:
        self.verdict = Verdict()
        self._keys = keys
        self._former = former
        self._met: set[str] = set()
        self._allow_dropped = allow_dropped
        self._installation: str | None = None
        self._workspace: str | None = None
        self._open: Written | None = None
        self._kept: int | None = None
        """The last seal of the workspace whose rows were not dropped: retention drops the oldest first."""
        self._digests: list[str] = []
        self._server = ""
        self._has_begun = self._has_ended = self._is_whole = self._is_anchor = False
        self._place = ""

    def take(self, number: int, line: str) -> None:
        """Look at one line."""
        self._place = f"line {number}"
        try:
            ((kind, content),) = _read(line).items()
            self._line(kind, content)
        except (ValueError, KeyError, TypeError, AttributeError):
            self._flaw("cannot be read")

    def finish(self) -> None:
        """Look at what should have come."""
        self._close()
        self._place = "the end"
        if not self._has_ended:
            self._flaw("is missing: the export was cut")
        for workspace in sorted(set(self._former) - self._met):
            self._flaw(
                f"the chain of {_named(workspace)} does not go through seal"
                f" {self._former[workspace].number} of the earlier export, or does not show it"
            )

    def _line(self, kind: str, content: Any) -> None:
        if self._has_ended or self._has_begun == (kind == "export"):
            self._flaw("stands where none should")
        match kind:
            case "export":
                self._begin(content)
            case "seal":
                self._close()
                self._seal(content)
            case "row":
                self._add(audit_chain.digest_of_row(content), content["workspace"])
                self.verdict.rows += 1
            case "omitted":
                if self._is_whole:
                    self._flaw("leaves out a row, though the export should be whole")
                self._add(str(content), self._workspace)
                self.verdict.omitted += 1
            case "unsealed":
                self._close()
                self.verdict.unsealed += 1
            case "end":
                self._close()
                self._end(content)
            case _:
                self._flaw("is of a kind that is not known")

    def _begin(self, content: Written) -> None:
        self._has_begun = True
        self._installation = content["installation"]
        self.verdict.asked = content["asked"]
        # Of a workspace, or of all: then nothing may be left out.
        self._is_whole = set(content["asked"]) <= {"workspace", "after"}
        only = content["asked"].get("workspace")
        only = "" if only == audit_chain.OWN else only
        if only is not None:
            self._former = {name: head for name, head in self._former.items() if name == only}
        if content["version"] != VERSION:
            self._flaw(f"the export is of version {content['version']}, not {VERSION}")

    def _seal(self, content: Written) -> None:
        body: Written = content["body"]
        digest = audit_chain.digest_of_seal(body)
        self._place = f"seal {body['number']} of {_named(body['workspace'])}"
        signed = audit_chain.signed(body)
        if body["key"] not in {key.id for key in self._keys}:
            self._flaw(f"is signed with key {body['key']}, which was not given")
        elif not audit_keys.is_signed(body["key"], content["signature"], signed, self._keys):
            self._flaw("has a signature that is not of its key")
        if body["installation"] != self._installation:
            self._flaw("is of another installation than the export")
        self._link(body)
        self._meet(body, digest)
        self.verdict.heads[body["workspace"]] = Head(body["number"], digest)
        self.verdict.seals += 1
        self._follow(body, content)

    def _link(self, body: Written) -> None:
        """Whether it goes on where the seal before it ended."""
        workspace, number = body["workspace"], body["number"]
        is_first = workspace != self._workspace
        # Where the chain is taken up: its rows are in the earlier export, and are not shown here.
        self._is_anchor = is_first and number == self.verdict.asked.get("after")
        if is_first:
            self._kept = None
            if workspace in self.verdict.heads:
                self._flaw("stands apart from its chain")
            self._workspace, self._server = workspace, body["server"]
            if number == 1 and body["previous"] != audit_chain.FIRST:
                self._flaw("is the first and names another before it")
            if number != 1:
                self._note(f"the chain is shown from seal {number} on")
            if self._is_whole and number != self.verdict.asked.get("after", 1):
                self._flaw("is the first that is shown: those before it are missing")
            return
        head = self.verdict.heads[workspace]
        if number != head.number + 1:
            self._flaw(f"follows seal {head.number}: what is between is missing")
        elif body["previous"] != head.digest:
            self._flaw("does not name the seal before it")
        if body["server"] != self._server:
            self._note("was made by another database than the one before: a restore or a failover")
            self._server = body["server"]

    def _meet(self, body: Written, digest: str) -> None:
        """Whether it is, or goes on from, the head of the earlier export."""
        former = self._former.get(body["workspace"])
        if former is None:
            return
        here = {body["number"]: digest}
        if not self._is_anchor:
            here[body["number"] - 1] = body["previous"]
        if former.number in here:
            self._met.add(body["workspace"])
            if here[former.number] != former.digest:
                self._flaw(f"the chain forked: seal {former.number} was another one before")

    def _follow(self, body: Written, content: Written) -> None:
        """What should come after it."""
        dropped_at = content.get("droppedAt")
        if dropped_at is None:
            self._kept = body["number"]
        if self._is_anchor:
            return
        if dropped_at is not None:
            self.verdict.dropped += body["rows"]
            said = f"its {body['rows']} rows were dropped at {dropped_at}"
            (self._note if self._allow_dropped else self._flaw)(said)
            if self._kept is not None:
                self._flaw(
                    f"its rows were dropped and those of seal {self._kept} before it were not"
                )
        elif content["shown"] is True:
            self._open, self._digests = body, []
        elif self._is_whole:
            self._flaw("shows no rows, though the export should be whole")

    def _add(self, digest: str, workspace: str | None) -> None:
        if self._open is None:
            self._flaw("a row stands under no seal")
            return
        self._digests.append(digest)
        if workspace != self._open["workspace"]:
            self._flaw("a row stands under another workspace's seal")

    def _close(self) -> None:
        """Compare the rows with their seal."""
        body, self._open = self._open, None
        if body is None:
            return
        self._place = f"seal {body['number']} of {_named(body['workspace'])}"
        if len(self._digests) != body["rows"]:
            self._flaw(f"covers {body['rows']} rows, and {len(self._digests)} stand here")
            return
        try:
            found = audit_chain.root(self._digests)
        except ValueError:
            found = ""
        if found != body["root"]:
            self._flaw("its rows are not those that were sealed, or not in their order")

    def _end(self, content: Written) -> None:
        self._has_ended = True
        verdict = self.verdict
        counted = {
            "seals": verdict.seals,
            "rows": verdict.rows,
            "omitted": verdict.omitted,
            "unsealed": verdict.unsealed,
        }
        if content != counted:
            self._flaw(f"counts {content}, and {counted} stand here")

    def _flaw(self, text: str) -> None:
        self.verdict.flaws.append(f"{self._place}: {text}")
        if len(self.verdict.flaws) >= MOST_FLAWS:
            raise _TooManyError

    def _note(self, text: str) -> None:
        self.verdict.notes.append(f"{self._place}: {text}")


def heads_of(lines: Iterable[str]) -> Iterator[tuple[str, Head]]:
    """The seals of an earlier export, in its order: of each workspace the last one is its head."""
    for line in lines:
        content = _read(line).get("seal")
        if content is not None:
            body = content["body"]
            yield body["workspace"], Head(body["number"], audit_chain.digest_of_seal(body))


def _read(line: str) -> Written:
    """A line as an object. Raises ValueError, also where a name stands twice: readers differ on which counts."""
    found: Written = json.loads(line, object_pairs_hook=_once)
    return found


def _once(pairs: Sequence[tuple[str, Any]]) -> Written:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name stands twice")
    return found


def _named(workspace: str) -> str:
    return f"workspace '{workspace}'" if workspace else "the installation itself"
