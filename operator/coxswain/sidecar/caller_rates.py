"""How often each sort of caller may ask: people and machines by their name, agents by their pod."""

from coxswain.identity.callers import AgentCaller, PodCaller
from coxswain.rate_settings import RateSettings
from coxswain.rules.rates import Rate
from coxswain.web.limiting import Limiter

USER, AGENT = "user", "agent"


def limiter(given: RateSettings) -> Limiter:
    """What counts the requests of this process."""
    user = Rate(USER, given.requests_at_once, given.requests_per_second)
    agent = Rate(AGENT, given.agent_requests_at_once, given.agent_requests_per_second)

    def whose(caller: object) -> tuple[str, Rate]:
        if isinstance(caller, PodCaller | AgentCaller):
            return f"pod:{caller.pod.uid}", agent
        return str(caller), user

    return Limiter(whose)
