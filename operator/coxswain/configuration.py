"""How a process reads its settings: environment beats file, and a refusal names every bad key.

The environment's names are COXSWAIN_ and the field's name in capitals; the file is TOML, its path in
COXSWAIN_CONFIG_FILE. There are no other sources and nothing is read at import. The settings themselves
are in ``settings``.
"""

import os
from collections.abc import Callable, Mapping, Set
from pathlib import Path
from tomllib import TOMLDecodeError
from types import SimpleNamespace
from typing import Annotated, Any, ClassVar, Literal, NamedTuple, Self, TypeVar

from pydantic import (
    Field,
    ModelWrapValidatorHandler,
    SecretStr,
    TypeAdapter,
    ValidationError,
    model_validator,
)
from pydantic.fields import FieldInfo
from pydantic_core import InitErrorDetails, PydanticCustomError
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)
from typing_extensions import override

from coxswain.errors import ConfigurationError

PREFIX = "COXSWAIN_"
CONFIG_FILE_VARIABLE = "COXSWAIN_CONFIG_FILE"
AS_JSON = ("list_type", "dict_type")
SET = "(set)"


class Contradiction(NamedTuple):
    """Settings that are good alone and not together: their names with why behind them, and when."""

    why: str
    stands: Callable[[Any], bool]

    @property
    def keys(self) -> frozenset[str]:
        """The fields that it is about; ``stands`` may look at no other."""
        named = self.why.partition(": ")[0].split(",")
        return frozenset(each.strip().removeprefix(PREFIX).lower() for each in named)


class Settings(BaseSettings):
    """What every process has."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, extra="forbid", frozen=True, use_attribute_docstrings=True
    )

    log_format: Literal["json", "pretty", "compact"] = "json"
    """How log lines look."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """The least severe line that is written."""

    CONTRADICTIONS: ClassVar[tuple[Contradiction, ...]] = ()

    @model_validator(mode="wrap")
    @classmethod
    def _with_all_that_is_wrong(cls, given: Any, read: ModelWrapValidatorHandler[Self]) -> Self:
        """Look for contradictions also where single settings are wrong: among those that are not."""
        try:
            made = read(given)
        except ValidationError as error:
            wrong = error.errors(include_input=False, include_url=False)
            bad = {str(each["loc"][0]) for each in wrong if each["loc"]}
            good = cls.model_fields.keys() - bad
            found = cls._contradictions(_read_alone(cls.model_fields, given, good), good)
            raise _refusal(cls.__name__, [*map(_again, wrong), *found]) from error
        if found := cls._contradictions(made, cls.model_fields.keys()):
            raise _refusal(cls.__name__, found)
        return made

    @classmethod
    def _contradictions(cls, read: Any, good: Set[str]) -> list[InitErrorDetails]:
        """Those that stand among the fields that could be read."""
        return [
            _wrong("contradiction", each.why)
            for each in cls.CONTRADICTIONS
            if each.keys <= good and each.stands(read)
        ]

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
        environment = _Environment(settings_cls)
        file = os.environ.get(CONFIG_FILE_VARIABLE)
        if file is None:
            return init_settings, environment
        return (
            init_settings,
            environment,
            TomlConfigSettingsSource(settings_cls, Path(file).resolve(strict=True)),
        )


class _Environment(EnvSettingsSource):
    """The environment. A list that is no JSON is a wrong value of its key, told of with all others."""

    @override
    def decode_complex_value(self, field_name: str, field: FieldInfo, value: Any) -> Any:
        try:
            return super().decode_complex_value(field_name, field, value)
        except ValueError:
            return value


class MeasuredSettings(Settings):
    """A process that Prometheus may look at."""

    metrics: bool = True
    """Whether /metrics is served, and what is measured for it alone is measured."""


class TracedSettings(Settings):
    """A process whose work may be told as traces."""

    traces_endpoint: Annotated[str, Field(max_length=512, pattern=r"^(https?://[^\s?#@]+)?$")] = ""
    """Collector that takes traces by OTLP over HTTP, such as http://collector:4318, to which /v1/traces is
    added; none traces nothing."""


S = TypeVar("S", bound=Settings)


def load(model: type[S]) -> S:
    """Read the settings of a process.

    Raises ConfigurationError that names every key that is missing, unknown, wrong or contradicts
    another, or says why the file cannot be read at all.
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


def shown(given: Settings) -> dict[str, Any]:
    """The settings as JSON, by their names in the environment; of a secret only whether it is set."""
    told = given.model_dump(mode="json")
    for name, value in given:
        if isinstance(value, SecretStr):
            told[name] = SET
    return {f"{PREFIX}{name.upper()}": value for name, value in told.items()}


def _line(refused: Any) -> str:
    """One refusal with its key; a contradiction names its keys itself."""
    key = "_".join(str(part) for part in refused["loc"]).upper()
    how = " as JSON" if refused["type"] in AS_JSON else ""
    return f"{PREFIX}{key}: {refused['msg']}{how}" if key else str(refused["msg"])


def _read_alone(
    fields: Mapping[str, FieldInfo], given: Mapping[str, Any], good: Set[str]
) -> SimpleNamespace:
    """The values of fields that are good, each read without the others."""
    read = {name: _value(fields[name], given[name]) for name in good if name in given}
    left = {
        name: fields[name].get_default(call_default_factory=True) for name in good - read.keys()
    }
    return SimpleNamespace(**read, **left)


def _value(field: FieldInfo, given: Any) -> Any:
    kind: Any = field.annotation
    if field.metadata:
        kind = Annotated[kind, *field.metadata]
    return TypeAdapter(kind).validate_python(given)


def _again(refused: Any) -> InitErrorDetails:
    """A refusal as it was, to stand among others."""
    return _wrong(refused["type"], refused["msg"], refused["loc"])


def _wrong(kind: str, text: str, place: tuple[int | str, ...] = ()) -> InitErrorDetails:
    return InitErrorDetails(type=PydanticCustomError(kind, text), loc=place, input=None)


def _refusal(name: str, found: list[InitErrorDetails]) -> ValidationError:
    return ValidationError.from_exception_data(name, found, hide_input=True)
