"""One view of how all components are."""

from collections.abc import Awaitable, Callable

from coxswain.api.standing import Standing
from coxswain.errors import TransientError
from coxswain.identity.callers import UserCaller
from coxswain.sidecar.health_wire import HealthView
from coxswain.web.roll_call import RollCall
from coxswain.web.routes import Call, route


class HealthRoutes:
    """Routes for people and machines that see the whole installation."""

    def __init__(self, roll: RollCall, own: Callable[[], Awaitable[Standing]]) -> None:
        self._roll = roll
        self._own = own

    @route("GET", "/v1/health")
    async def read_health(self, call: Call, caller: UserCaller) -> HealthView:
        """Ask all processes of the installation how they are.

        It takes up to 2.5 s where one does not answer, and is asked at most once a second.
        """
        try:
            found = await self._roll.take()
        except TransientError:
            return HealthView.of([await self._own()], {}, asked=False)
        return HealthView.of(found.answered, found.silent, asked=True)
