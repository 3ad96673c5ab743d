"""What the installation runs with, and the flags that change it while it runs."""

from coxswain.errors import UserError
from coxswain.identity.callers import UserCaller
from coxswain.rules import flags as rules
from coxswain.sidecar.config_wire import FlagChange, FlagList, RunningConfig
from coxswain.store import flags, running
from coxswain.store.flags import Said
from coxswain.store.pool import Store
from coxswain.web import conditional
from coxswain.web.auditing import Kept
from coxswain.web.routes import Answer, Call, route

ONLY_DEV = "not_in_prod"


class ConfigRoutes:
    """Routes for people and machines of the whole installation."""

    def __init__(self, store: Store, mode: rules.Mode) -> None:
        self._store = store
        self._mode: rules.Mode = mode

    @route("GET", "/v1/config")
    async def get_config(self, call: Call, caller: UserCaller) -> RunningConfig:
        """Read what the installation runs with: the settings of each process without secrets, how long
        records stay, what is filtered, and the flags.
        """
        found = await self._store.run(flags.standing)
        return RunningConfig.of(self._mode, found, await self._store.run(running.seen))

    @route("GET", "/v1/flags")
    async def get_flags(self, call: Call, caller: UserCaller) -> Answer[FlagList]:
        """Read what can be changed while everything runs."""
        return await self._answer(await self._store.run(flags.standing))

    @route("PATCH", "/v1/flags", errors=(412,), kept=Kept.WITH)
    async def change_flags(
        self, call: Call, caller: UserCaller, body: FlagChange
    ) -> Answer[FlagList]:
        """Change flags, all or none. After 2 s every replica goes by it. The same again is harmless.

        null leaves a flag to the setting of its process. With If-Match 412 if any flag changed
        meanwhile; 422 not_in_prod for what cannot be switched on where mode is prod.
        """
        wanted = body.wanted()
        if not wanted:
            raise UserError("name at least one flag that is to change", field="body")
        for name, on in wanted.items():
            if on and self._mode == "prod" and rules.TABLE[name].is_for_dev:
                text = "this is for a first try alone, and the mode of this installation is prod"
                raise UserError(text, code=ONLY_DEV, field=name)
        expected = call.header("If-Match")

        def is_seen(version: int) -> bool:
            return expected is None or conditional.sees(expected, f'"{version}"')

        found = await self._store.transact(flags.change, wanted, str(caller), is_seen)
        return await self._answer(found)

    async def _answer(self, found: dict[str, Said]) -> Answer[FlagList]:
        shown = FlagList.of(found, await self._store.run(running.seen))
        # What the processes say of themselves is shown beside the flags, and has no version.
        tag = conditional.versioned(flags.version(found), shown.model_dump_json().encode())
        return Answer(shown, headers={"ETag": tag})
