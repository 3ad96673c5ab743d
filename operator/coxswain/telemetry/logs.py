"""Log lines: one format for our own and for every library's.

A line is a constant sentence and fields: ``log.info("pod created", job=...)``. What belongs to a
whole request or pass is bound once: ``with logs.bound(request_id=...)``.
"""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal, TextIO

import structlog
from structlog.contextvars import bound_contextvars
from structlog.typing import Processor

from coxswain.telemetry import crashes

LogFormat = Literal["json", "pretty", "compact"]
LogLevel = Literal["debug", "info", "warning", "error"]
Logger = structlog.stdlib.BoundLogger

# Libraries that tell their whole life at info.
QUIET = ("aiohttp.access", "asyncio", "kopf", "httpx", "urllib3", "alembic")


def get(name: str) -> Logger:
    """The logger of a module: ``log = logs.get(__name__)``."""
    logger: Logger = structlog.stdlib.get_logger(name)
    return logger


@contextmanager
def bound(**fields: object) -> Iterator[None]:
    """Put these fields on every line of this task until the block ends."""
    with bound_contextvars(**fields):
        yield


def configure(log_format: LogFormat, log_level: LogLevel, stream: TextIO | None = None) -> None:
    """Set up all logging of this process, and the hooks that log a crash before it ends."""
    structlog.configure(
        processors=[*_shared(), structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=_shared(),
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *_rendering(log_format),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(log_level.upper())
    for name in QUIET:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
    logging.captureWarnings(capture=True)
    crashes.install()


def _shared() -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]


def _rendering(log_format: LogFormat) -> list[Processor]:
    match log_format:
        case "json":
            return [
                structlog.processors.format_exc_info,
                structlog.processors.JSONRenderer(default=str),
            ]
        case "compact":
            order = ["timestamp", "level", "event"]
            return [
                structlog.processors.format_exc_info,
                structlog.processors.LogfmtRenderer(key_order=order, drop_missing=True),
            ]
        case "pretty":
            # The default would print local variables, and with them passwords and tokens.
            plain = structlog.dev.plain_traceback
            colors = sys.stderr.isatty()
            return [structlog.dev.ConsoleRenderer(colors=colors, exception_formatter=plain)]
