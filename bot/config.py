"""Settings: config.toml and the environment become typed, frozen values. Nothing is read at import.

Unknown keys are errors that name the key. Secrets come from the environment or `.env` alone.
"""

from __future__ import annotations

import difflib
import os
import tomllib
from io import StringIO
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

from dotenv import dotenv_values
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, create_model, field_validator

from bot import platforms
from bot.platforms.spec import PlatformSection
from bot.sections import (
    BASE_MODEL,
    Budget,
    ChatModel,
    Classroom,
    Engine,
    Gates,
    Jobs,
    Limits,
    Log,
    Metrics,
    OpenAI,
    Permissions,
    Privacy,
    Scenarios,
    Student,
)
from bot.student.records.text import DataError, read_text

S = TypeVar("S", bound=PlatformSection)


class ConfigError(ValueError):
    """The configuration is wrong; the message is one line that names the key."""


class Settings(BaseModel):
    """Everything the bot is told. Build it with `load`, which adds a section and the secrets of each platform."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    openai_api_key: SecretStr | None = None
    pupil_database_url: SecretStr | None = None
    pupil_hash_secret: SecretStr | None = None
    data: Path = Path("data")
    database: str = "data/pupil.db"
    student: Student = Student()
    engine: Engine = Engine()
    classroom: Classroom = Classroom()
    privacy: Privacy = Privacy()
    jobs: Jobs = Jobs()
    gates: Gates = Gates()
    scenarios: Scenarios = Scenarios()
    permissions: Permissions = Permissions()
    limits: Limits = Limits()
    budget: Budget = Budget()
    openai: OpenAI = OpenAI()
    models: dict[str, ChatModel] = Field(default_factory=dict)
    metrics: Metrics = Metrics()
    log: Log = Log()
    _environment_file: Path | None = None

    @field_validator("models")
    @classmethod
    def _not_the_embedded(cls, value: dict[str, ChatModel]) -> dict[str, ChatModel]:
        if BASE_MODEL in value:
            raise ValueError(f"{BASE_MODEL!r} is the embedded model; choose another name")
        return value

    @property
    def database_url(self) -> str:
        """SQLAlchemy's address of the store; it may hold a password, so never print it."""
        if self.pupil_database_url and (url := self.pupil_database_url.get_secret_value()):
            return url.replace("postgres://", "postgresql://", 1).replace(
                "postgresql://", "postgresql+asyncpg://", 1
            )
        return f"sqlite+aiosqlite:///{quote(self.database, safe=' +/')}"

    @property
    def in_file(self) -> bool:
        """Whether the store is a file of SQLite."""
        return self.database_url.startswith("sqlite")

    def key(self, variable: str) -> SecretStr | None:
        """The secret of that name: one of the bot's own, or for a model any variable of the environment or `.env`."""
        if variable.lower() in secret_names():
            found: SecretStr | None = getattr(self, variable.lower(), None)
            return found
        value = os.environ.get(variable) or _env(self._environment_file).get(variable)
        return SecretStr(value) if value else None

    def section(self, kind: type[S]) -> S:
        """A platform's section of config.toml; its defaults where the file was not read with that platform."""
        return next((value for _, value in self if type(value) is kind), kind())


OWN_SECRETS = ("openai_api_key", "pupil_database_url", "pupil_hash_secret")


def secret_names() -> tuple[str, ...]:
    """What comes only from the environment and `.env`; in upper case these are the variables."""
    return (*(name.lower() for each in platforms.PLATFORMS for name in each.secrets), *OWN_SECRETS)


def settings_type() -> type[Settings]:
    """`Settings` with what the platforms add."""
    sections = {each.name: (each.settings, each.settings()) for each in platforms.PLATFORMS}
    return create_model("Settings", __base__=Settings, **_secret_fields(), **sections)  # type: ignore[call-overload,no-any-return]


def _secret_fields() -> dict[str, Any]:
    return dict.fromkeys(secret_names(), (SecretStr | None, None))


BESIDE = Path()
"""Of `load`: the `.env` in the folder of the settings file."""


def load(path: Path | None = None, *, environment_file: Path | None = BESIDE) -> Settings:
    """Read `path` (default config.toml in the working directory; absent means all defaults), and the `.env` beside it.

    Relative paths in the file are taken from the file's folder. Raise `ConfigError` in one line.
    """
    explicit = path is not None
    path = path or Path("config.toml")
    if environment_file == BESIDE:
        environment_file = path.parent / ".env"
    if explicit and not path.is_file():
        raise ConfigError(f"{path}: no such file; start from the shipped config.toml")
    try:
        settings = _from(path, environment_file)
    except ValidationError as error:
        raise ConfigError(f"{path}: {_first(error)}") from None
    except DataError as error:
        raise ConfigError(str(error)) from None
    except ValueError as error:
        raise ConfigError(f"{path}: {error}") from None
    return _anchored(settings, path.resolve().parent)


def _from(path: Path, environment_file: Path | None) -> Settings:
    found = tomllib.loads(read_text(path)) if path.is_file() else {}
    for name in secret_names():
        if name in found:
            raise ValueError(
                f"{name}: secrets do not belong in this file; set {name.upper()} in the environment or .env"
            )
    found = _of_this_process(found, environment_file)
    settings = settings_type().model_validate({**found, **_secrets(environment_file)})
    settings._environment_file = environment_file  # noqa: SLF001 - no key of the file, so no field
    return settings


def _of_this_process(found: dict[str, Any], file: Path | None) -> dict[str, Any]:
    """The file's settings with what the environment says of this process alone."""
    here = {**_env(file), **os.environ}
    for spec in platforms.PLATFORMS:
        given = {key: here[name] for name, key in spec.environment.items() if here.get(name)}
        if given and isinstance(found.get(spec.name, {}), dict):
            found = {**found, spec.name: {**found.get(spec.name, {}), **given}}
    return found


def _secrets(file: Path | None) -> dict[str, str]:
    """The secrets of `file` and, before them, of the environment; a stray DATA or LOG in either is not for us."""
    here = {
        **_env(file),
        **{name: value for name, value in os.environ.items() if value},
    }
    given = {name.lower(): value for name, value in here.items() if value}
    return {name: given[name] for name in secret_names() if name in given}


def _env(file: Path | None) -> dict[str, str | None]:
    """What a `.env` sets, nothing where there is none; raise `DataError`, which names that file."""
    return dotenv_values(stream=StringIO(read_text(file))) if file and file.is_file() else {}


def _anchored(settings: Settings, folder: Path) -> Settings:
    def at(path: Path) -> Path:
        return path if path.is_absolute() else Path(os.path.relpath(folder / path))

    engine = settings.engine
    if engine.gguf is not None:
        engine = engine.model_copy(update={"gguf": at(Path(os.path.expanduser(engine.gguf)))})  # noqa: PTH111 - never raises
    jobs = settings.jobs.model_copy(update={"backups": at(settings.jobs.backups)})
    scenarios = settings.scenarios
    if scenarios.folder is not None:
        scenarios = scenarios.model_copy(update={"folder": at(scenarios.folder)})
    return settings.model_copy(
        update={
            "data": at(settings.data),
            "database": str(at(Path(settings.database))),
            "engine": engine,
            "jobs": jobs,
            "scenarios": scenarios,
        }
    )


def _first(error: ValidationError) -> str:
    """The first complaint, with the key's path and, for an unknown key, the nearest known one."""
    first = error.errors(include_url=False, include_input=False)[0]
    path = [str(part) for part in first["loc"]]
    key = ".".join(path)
    if first["type"] == "extra_forbidden":
        known = _known_keys(path[:-1])
        near = difflib.get_close_matches(path[-1], known, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"known here: {', '.join(sorted(known))}"
        return f"unknown key {key!r}; {hint}"
    return f"{key}: {first['msg'].removeprefix('Value error, ')}"


def _known_keys(path: list[str]) -> list[str]:
    whole = settings_type()
    section: type[BaseModel] = whole
    for part in path:
        inner = section is whole and part != "models"
        section = whole.model_fields[part].annotation if inner else ChatModel  # type: ignore[assignment]
    return [name for name in section.model_fields if name not in secret_names()]
