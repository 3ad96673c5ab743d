"""What the installation runs with, and the flags that change it while it runs."""

from coxswain.errors import UserError
from coxswain.identity.callers import UserCaller
from coxswain.rules import flags as rules
from coxswain.sidecar.config_wire import FlagChange, FlagList, RunningConfig
from coxswain.store import flags, running
from coxswain.store.flags import Said
from coxswain.store.pool import Store
from coxswain.web import problems
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
        expected = _version(call.header("If-Match"))
        found = await self._store.transact(flags.change, wanted, str(caller), expected)
        return await self._answer(found)

    async def _answer(self, found: dict[str, Said]) -> Answer[FlagList]:
        shown = FlagList.of(found, await self._store.run(running.seen))
        return Answer(shown, headers={"ETag": f'"{flags.version(found)}"'})


def _version(given: str | None) -> int | None:
    """The version that If-Match names. Raises UserError malformed."""
    if given is None or given.strip() == "*":
        return None
    text = given.strip().removeprefix("W/").strip('"')
    if not (text.isascii() and text.isdecimal()):
        raise UserError(
            "this is no tag of the flags", code=problems.MALFORMED, field="header.If-Match"
        )
    return int(text)
