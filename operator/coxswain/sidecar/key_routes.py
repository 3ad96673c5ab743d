"""API keys for machines: made, listed and revoked by admins of the whole installation."""

from datetime import datetime

from coxswain.identity.callers import UserCaller
from coxswain.rules import api_keys as rules
from coxswain.sidecar import cursors, keyed_objects
from coxswain.sidecar.key_wire import (
    KeyList,
    KeyPath,
    KeyQuery,
    KeyView,
    MadeKey,
    NewApiKeyBody,
    RevokeRequest,
)
from coxswain.store import api_keys
from coxswain.store.api_keys import NewApiKey, Which
from coxswain.store.pool import Store
from coxswain.web.routes import Answer, Call, route

NOT_KEPT = {"Cache-Control": "no-store"}


class KeyRoutes:
    """Routes for people."""

    def __init__(self, store: Store) -> None:
        self._store = store

    @route("POST", "/v1/keys", status=201, errors=(409,))
    async def create_key(
        self, call: Call, caller: UserCaller, body: NewApiKeyBody
    ) -> Answer[MadeKey]:
        """Make an API key for a machine. The answer is the only one that shows it.

        409 too_many_keys. With Idempotency-Key the same again makes no second key: 409
        key_made_already names the first, whose secret is not shown again.
        """
        key = keyed_objects.key_of(call)
        made = rules.make(None if key is None else f"{caller.name}\n{key}")
        wanted = NewApiKey(
            id=made.id,
            secret_hash=rules.hash_of(made.text),
            made_by=caller.name,
            **{name: getattr(body, name) for name in NewApiKeyBody.model_fields},
        )
        kept = await self._store.transact(api_keys.make, wanted)
        shown = MadeKey(**dict(KeyView.of(kept)), secret=made.text)
        return Answer(shown, status=201, headers=NOT_KEPT)

    @route("GET", "/v1/keys")
    async def list_keys(self, call: Call, caller: UserCaller, query: KeyQuery) -> KeyList:
        """List the API keys, newest first, without themselves."""
        which = Which(query.limit + 1, _place(query.cursor), query.revoked)
        found = await self._store.run(api_keys.newest, which)
        shown, more = found[: query.limit], len(found) > query.limit
        return KeyList(
            items=[KeyView.of(each) for each in shown],
            next=cursors.write(shown[-1].made_at, shown[-1].id) if more else None,
        )

    @route("POST", "/v1/keys/{key}/revoke", errors=(404,))
    async def revoke_key(
        self, call: Call, caller: UserCaller, path: KeyPath, body: RevokeRequest
    ) -> KeyView:
        """End an API key for good: after 2 s it opens nothing. The same again is harmless."""
        return KeyView.of(await self._store.transact(api_keys.revoke, path.key, caller.name))


def _place(text: str | None) -> tuple[datetime, str] | None:
    if text is None:
        return None
    at, id_ = cursors.read(text, cursors.instant, cursors.word)
    return at, id_
