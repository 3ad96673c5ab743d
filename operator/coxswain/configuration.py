"""How a process reads its settings: environment beats file, and a refusal names every bad key.

The environment's names are COXSWAIN_ and the field's name in capitals; the file is TOML, its path in
COXSWAIN_CONFIG_FILE. There are no other sources and nothing is read at import. The settings themselves
are in ``settings``.
"""

import os
from collections.abc import Callable
from pathlib import Path
from tomllib import TOMLDecodeError
from typing import Annotated, Any, ClassVar, Literal, NamedTuple, Self, TypeVar

from pydantic import Field, ValidationError, model_validator
from pydantic_core import PydanticCustomError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)
from typing_extensions import override

from coxswain.errors import ConfigurationError

CONFIG_FILE_VARIABLE = "COXSWAIN_CONFIG_FILE"


class Contradiction(NamedTuple):
    """Settings that are good alone and not together: why, and when."""

    why: str
    stands: Callable[[Any], bool]


class Settings(BaseSettings):
    """What every process has."""

    model_config = SettingsConfigDict(
        env_prefix="COXSWAIN_", extra="forbid", frozen=True, use_attribute_docstrings=True
    )

    log_format: Literal["json", "pretty", "compact"] = "json"
    """How log lines look."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """The least severe line that is written."""

    CONTRADICTIONS: ClassVar[tuple[Contradiction, ...]] = ()

    @model_validator(mode="after")
    def _does_not_contradict_itself(self) -> Self:
        found = [each.why for each in self.CONTRADICTIONS if each.stands(self)]
        if found:
            raise PydanticCustomError("contradiction", "{why}", {"why": "\n  ".join(found)})
        return self

    @classmethod
    @override
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments of a test first, then environment, then the file."""
        file = os.environ.get(CONFIG_FILE_VARIABLE)
        if file is None:
            return init_settings, env_settings
        return (
            init_settings,
            env_settings,
            TomlConfigSettingsSource(settings_cls, Path(file).resolve(strict=True)),
        )


class MeasuredSettings(Settings):
    """A process that Prometheus may look at, and that may be traced."""

    metrics: bool = True
    """Whether /metrics is served, and what is measured for it alone is measured."""
    traces_endpoint: Annotated[str, Field(max_length=512, pattern=r"^(https?://[^\s?#@]+)?$")] = ""
    """Collector that takes traces by OTLP over HTTP, such as http://collector:4318; none traces nothing."""


S = TypeVar("S", bound=Settings)


def load(model: type[S]) -> S:
    """Read the settings of a process.

    Raises ConfigurationError that names every key that is missing, unknown or wrong, or says why
    the file or a list cannot be read at all.
    """
    try:
        return model()
    except ValidationError as error:
        lines = [_line(each) for each in error.errors(include_input=False, include_url=False)]
        raise ConfigurationError(
            "the configuration is refused:\n  " + "\n  ".join(lines)
        ) from error
    except (OSError, SettingsError, TOMLDecodeError) as error:
        raise ConfigurationError(f"the configuration cannot be read: {error}") from error


def _line(refused: Any) -> str:
    """One refusal with its key; a contradiction names its keys itself."""
    key = "_".join(str(part) for part in refused["loc"]).upper()
    return f"COXSWAIN_{key}: {refused['msg']}" if key else str(refused["msg"])
