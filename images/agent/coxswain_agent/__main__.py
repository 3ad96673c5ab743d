"""``python -m coxswain_agent``: the entry point of the agent image.

Exit codes: 0 the run succeeded; 1 it failed; 75 the platform did not answer; 77 the run is not ours;
78 the environment is wrong; 128 and a signal's number if the program was killed.
"""

import sys

from coxswain_agent import init

WRONG_ENVIRONMENT = 78
CRASHED = 70


def program() -> int:
    """The agent program itself, as the child of ``init``."""
    # Imported here, so that the first process stays small.
    import asyncio
    import logging
    import signal

    from coxswain import settings
    from coxswain.errors import ConfigurationError
    from coxswain_agent import run
    from coxswain_agent.ending import Stop, Stopper
    from coxswain_agent.settings import AgentSettings

    async def main(given: AgentSettings) -> int:
        stopper = Stopper()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stopper.ask, Stop.TERMINATED)
        return await run.execute(given, stopper)

    logging.basicConfig(format="%(levelname)s %(name)s: %(message)s", level=logging.INFO)
    logging.getLogger("httpx2").setLevel(logging.WARNING)
    log = logging.getLogger(__package__)
    try:
        return asyncio.run(main(settings.load(AgentSettings)))
    except ConfigurationError as error:
        log.critical("%s", error.message)
        return WRONG_ENVIRONMENT
    except Exception:
        log.critical("the agent program ends: an error nobody caught", exc_info=True)
        return CRASHED


if __name__ == "__main__":
    sys.exit(init.supervise(program))
