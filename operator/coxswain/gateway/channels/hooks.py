"""Takes webhooks in: judged, recorded, answered. What becomes of them is the operator's business.

Whoever does not sign with a key of the hook learns nothing: not whether there is such a Schedule,
nor what was wrong. The log and the metric know.
"""

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from pydantic import ValidationError

from coxswain.api import payload
from coxswain.api.meta import Model
from coxswain.api.triggers import NewTrigger, Remembered, Webhook
from coxswain.errors import ConflictError, CoxswainError, NotFoundError, UserError
from coxswain.gateway.keyring import Keyring, KeyUnusableError
from coxswain.rules import schemas, webhooks
from coxswain.rules.webhooks import Unverified, Verified
from coxswain.store.mirror import ObjectRow
from coxswain.telemetry import logs, metrics
from coxswain.web import problems, request_ids, routes
from coxswain.web.reading import BODY_BYTES
from coxswain.web.routes import Call

UNKNOWN = "hook_unknown"
LATE = "timestamp_refused"
SUSPENDED = "schedule_suspended"
INVALID = "schedule_invalid"
_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")

log = logs.get(__name__)


class HookPath(Model):
    """Whose hook it is."""

    workspace: str
    """The namespace."""
    schedule: str
    """The Schedule's name."""


class Taken(Model):
    """A delivery that is kept."""

    delivery_id: str
    """How the sender names it, or the digest of the body where the scheme has no id."""
    repeated: bool
    """Whether it was known already; it fires once all the same."""
    request_id: str
    """Find the log lines by it."""


class Records(Protocol):
    """What the hooks need of the store."""

    async def schedule(self, workspace: str, name: str) -> ObjectRow | None:
        """The living Schedule of that name."""
        ...

    async def record(self, new: NewTrigger, remember: Sequence[Remembered]) -> bool:
        """Keep a delivery; False where it is known."""
        ...


@dataclass(frozen=True)
class _Hook:
    """A Schedule that takes webhooks."""

    row: ObjectRow
    wanted: Webhook

    @property
    def is_suspended(self) -> bool:
        return bool(self.row.body["spec"].get("suspend"))


class Hooks:
    """The routes for senders."""

    def __init__(
        self, records: Records, keys: Keyring, clock: Callable[[], float] = time.time
    ) -> None:
        self._records = records
        self._keys = keys
        self._clock = clock

    @routes.route(
        "POST", "/v1/hooks/{workspace}/{schedule}", open=True, status=202, errors=(404, 409, 413)
    )
    async def receive_webhook(self, call: Call, path: HookPath, content: bytes) -> Taken:
        """Take a signed request for a Schedule with a webhook.

        404 is the answer to all that no key of the hook has signed. The same again is harmless.
        """
        hook = await self._find(path)
        verified = await self._verified(call, path, hook, content)
        try:
            return await self._take(hook, verified, content)
        except CoxswainError as error:
            metrics.WEBHOOKS.labels(error.code).inc()
            raise

    async def _find(self, path: HookPath) -> _Hook:
        if not _NAME.fullmatch(path.workspace) or not _NAME.fullmatch(path.schedule):
            raise _unknown(path, "name")
        row = await self._records.schedule(path.workspace, path.schedule)
        given = (row.body.get("spec") or {}).get("webhook") if row is not None else None
        if row is None or given is None:
            raise _unknown(path, "no_hook")
        try:
            return _Hook(row, Webhook.model_validate(given))
        except ValidationError:
            raise _unknown(path, "schedule_invalid") from None

    async def _verified(self, call: Call, path: HookPath, hook: _Hook, content: bytes) -> Verified:
        wanted = hook.wanted
        try:
            keys = await self._keys.find(
                path.workspace,
                wanted.secret_ref.name,
                lambda text: webhooks.key(wanted.scheme, text),
            )
        except KeyUnusableError as error:
            raise _unknown(path, "key", error.message) from None
        headers = call.request.headers.items()
        found = webhooks.verify(wanted, headers, content, keys, self._clock())
        if isinstance(found, Unverified):
            raise _unknown(path, found.value)
        return found

    async def _take(self, hook: _Hook, verified: Verified, content: bytes) -> Taken:
        wanted, row = hook.wanted, hook.row
        if not verified.is_in_time:
            raise ConflictError(
                f"the signed time is more than {wanted.replay_window_seconds} seconds off; sign"
                " anew, and look at the sender's clock",
                code=LATE,
            )
        if hook.is_suspended:
            raise ConflictError("the Schedule is suspended: nothing is taken", code=SUSPENDED)
        text = _fitting(wanted, content)
        new = NewTrigger(
            schedule_uid=row.uid,
            workspace=row.workspace,
            schedule_name=row.name,
            source="Webhook",
            delivery_id=verified.delivery_id,
            digest=webhooks.digest(content),
            body=text,
        )
        is_new = await self._records.record(new, verified.remember)
        metrics.WEBHOOKS.labels("taken" if is_new else "repeated").inc()
        return Taken(
            delivery_id=verified.delivery_id,
            repeated=not is_new,
            request_id=request_ids.current(),
        )


def _unknown(path: HookPath, why: str, message: str = "") -> NotFoundError:
    """One answer for everything that nobody of ours has signed."""
    metrics.WEBHOOKS.labels(why).inc()
    log.info(
        "a webhook is refused",
        security=True,
        workspace=path.workspace[:63],
        schedule=path.schedule[:63],
        why=why,
        reason=message or None,
    )
    return NotFoundError(
        "no hook of this name takes this request; look at the name, the secret, the signature and"
        " the headers of the scheme",
        code=UNKNOWN,
    )


def _fitting(wanted: Webhook, content: bytes) -> str:
    """The body as text, which is JSON and fits the schema."""
    try:
        text = content.decode()
    except UnicodeDecodeError:
        raise UserError("body: this is not UTF-8", field="body", code=problems.MALFORMED) from None
    value = payload.read(text, most_bytes=BODY_BYTES, field="body")
    if wanted.body_schema is None:
        return text
    try:
        schema = webhooks.schema(wanted.body_schema)
    except UserError as error:
        raise ConflictError(error.message, code=INVALID) from error
    wrong = schemas.problems(schema, value, "body")
    if wrong is not None:
        raise UserError(wrong, field="body")
    return text
