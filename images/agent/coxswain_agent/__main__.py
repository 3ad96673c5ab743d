"""``python -m coxswain_agent``: the entry point of the agent image.

With the argument ``door`` it is only the door, beside a program in an image of its own.

Exit codes: 0 the run succeeded; 1 it failed; 75 the platform did not answer; 77 the run is not ours;
78 the environment is wrong; 128 and a signal's number if the program was killed.
"""

import sys

from coxswain_agent import init

DOOR = "door"


def program() -> int:
    """The agent program itself, as the child of ``init``."""
    # Imported here, so that the first process stays small.
    import asyncio
    import logging
    import signal

    from coxswain import settings
    from coxswain.api.contract import ExitCode
    from coxswain.errors import ConfigurationError
    from coxswain_agent.ending import Stop, Stopper
    from coxswain_agent.settings import AgentSettings

    async def main(given: AgentSettings) -> int:
        stopper = Stopper()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stopper.ask, Stop.TERMINATED)
        if is_door:
            from coxswain_agent import beside

            return await beside.keep(given, stopper)
        from coxswain_agent import run

        return await run.execute(given, stopper)

    logging.basicConfig(format="%(levelname)s %(name)s: %(message)s", level=logging.INFO)
    logging.getLogger("httpx2").setLevel(logging.WARNING)
    log = logging.getLogger(__package__)
    words = sys.argv[1:]
    is_door = words == [DOOR]
    if words and not is_door:
        log.critical("unknown argument %s; say %s, or nothing", " ".join(words), DOOR)
        return ExitCode.WRONG_ENVIRONMENT
    try:
        return asyncio.run(main(settings.load(AgentSettings)))
    except ConfigurationError as error:
        log.critical("%s", error.message)
        return ExitCode.WRONG_ENVIRONMENT
    except Exception:
        log.critical("the agent program ends: an error nobody caught", exc_info=True)
        return ExitCode.CRASHED


if __name__ == "__main__":
    sys.exit(init.supervise(program))
