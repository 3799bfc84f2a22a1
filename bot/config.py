"""Settings: config.toml and the environment become typed, frozen values. Nothing is read at import.

Unknown keys are errors that name the key. Secrets come from the environment or `.env` alone.
"""

from __future__ import annotations

import difflib
import os
import tomllib
from io import StringIO
from pathlib import Path
from typing import Any, Literal, Self, TypeVar
from urllib.parse import quote

from dotenv import dotenv_values
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    create_model,
    field_validator,
    model_validator,
)

from bot import platforms
from bot.platforms.spec import PlatformSettings
from bot.student.records.text import DataError, read_text

S = TypeVar("S", bound=PlatformSettings)

Provider = Literal["openai", "azure", "compatible"]
"""Whose API serves a model."""
BASE_MODEL = "base"
"""The name of the embedded model without any training."""


class ConfigError(ValueError):
    """The configuration is wrong; the message is one line that names the key."""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Student(_Section):
    """`[student]`: who speaks where nothing else was chosen."""

    child: str = "mia"
    lesson: str = "2.NBT.B.5-subtract"
    model: str = "starter"  # in data/models, made by `training lora`
    fallback: str = BASE_MODEL
    ear: str = ""
    """A hosted model that is asked what each turn of the teacher does; "": the trained ear alone."""


class Engine(_Section):
    """`[engine]`: the embedded model, and what it runs on."""

    engine: Literal["auto", "llama_cpp", "torch", "vllm"] = "auto"
    gguf: Path | None = None
    slots: int = Field(default=8, ge=1, le=64)
    context: int = Field(default=2048, ge=1024, le=131_072)
    threads: int = Field(default=0, ge=0, le=512)
    temperature: float = Field(default=0.5, ge=0, le=2)
    torch_base: str = ""
    """A folder or id of Hugging Face with the weights of `gguf`, for the engine "torch"; "": the GGUF itself."""
    torch_8bit: bool = False
    vllm_url: str = ""
    vllm_models: str = ""
    """The folder `models` of `data`, as the vLLM server sees it; "": where we see it."""

    @field_validator("vllm_url")
    @classmethod
    def _http(cls, value: str) -> str:
        if value and not value.startswith(("http://", "https://")):
            raise ValueError("expected an address such as http://localhost:8000/v1")
        return value

    @model_validator(mode="after")
    def _server(self) -> Self:
        if self.engine == "vllm" and not self.vllm_url:
            raise ValueError('vllm_url is needed for engine "vllm", such as http://localhost:8000/v1')
        return self


class Classroom(_Section):
    """`[classroom]`: time and room for one message."""

    reply_seconds: float = Field(default=25.0, gt=0, le=600)
    patience_seconds: float = Field(default=120.0, gt=0, le=3600)
    moment_seconds: float = Field(default=4.0, ge=0, le=3600)
    send_seconds: float = Field(default=15.0, gt=0, le=600)
    queue: int = Field(default=20, ge=1, le=1000)
    shutdown_seconds: float = Field(default=20.0, gt=0, le=600)
    recover_minutes: float = Field(default=30.0, ge=0, le=10_080)
    next_day_hours: float = Field(default=8.0, gt=0, le=10_000)


class Privacy(_Section):
    """`[privacy]`: what may be used for training."""

    consent: Literal["opt_in", "opt_out", "off"] = "opt_in"
    keep_days: int = Field(default=0, ge=0, le=36_500)
    """What is older is deleted by the job "retention"; 0 keeps everything."""


class Jobs(_Section):
    """`[jobs]`: scheduled work. Times are cron lines in UTC; an empty one leaves a job out."""

    harvest: str = ""
    backup: str = "0 3 * * *"
    retention: str = "15 3 * * *"
    fine_tunes: str = ""
    summary: str = "0 8 * * mon"
    backups: Path = Path("data/backups")
    keep_backups: int = Field(default=7, ge=1, le=1000)
    summary_channel: str = ""
    """Where the week's summary goes: a platform's name, a colon and a channel's id."""

    @field_validator("harvest", "backup", "retention", "fine_tunes", "summary")
    @classmethod
    def _cron(cls, value: str) -> str:
        if value:
            from bot import cron  # noqa: PLC0415 - brings apscheduler; only where a line is given

            try:
                cron.trigger(value)
            except ValueError as error:
                raise ValueError(f"expected a cron line such as '0 3 * * *' ({error})") from None
        return value

    @field_validator("summary_channel")
    @classmethod
    def _channel(cls, value: str) -> str:
        known = platforms.PLATFORMS
        if value and value.partition(":")[0] not in {each.name for each in known}:
            examples = " or ".join(f"'{each.name}:{each.channel}'" for each in known)
            raise ValueError(f"expected a channel such as {examples}")
        return value


class Gates(_Section):
    """`[gates]`: when training may make a new version the live one."""

    enabled: bool = True
    metrics: tuple[str, ...] = ("validation_loss", "valid_loss", "optimised", "authentic", "teachable")
    """Figures of a manifest's evaluation; a dot leads into a part. Where one of both versions lacks it, it passes."""
    tolerance: float = Field(default=0.01, ge=0)


class ChatModel(_Section):
    """`[models.NAME]`: a model behind a chat-completions API."""

    provider: Provider = "openai"
    model: str
    base_url: str | None = None
    api_version: str | None = None
    key_variable: str = "OPENAI_API_KEY"
    timeout_seconds: float = Field(default=20.0, gt=0, le=600)
    max_retries: int = Field(default=2, ge=0, le=10)
    temperature: float | None = Field(default=None, ge=0, le=2)
    max_tokens: int = Field(default=80, ge=8, le=4096)
    tokens_field: Literal["max_tokens", "max_completion_tokens"] | None = None
    reasoning_effort: Literal["none", "minimal", "low", "medium", "high"] | None = None
    ability: Literal["small", "capable"] = "small"
    """A capable model is told what the child believes and can know, and answers freely where no note says what."""

    @model_validator(mode="after")
    def _address(self) -> Self:
        if self.provider != "openai" and not self.base_url:
            raise ValueError(f"base_url is needed for provider {self.provider!r}")
        if self.provider == "azure" and not self.api_version:
            raise ValueError("api_version is needed for Azure, such as '2024-10-21'")
        return self


class OpenAI(_Section):
    """`[openai]`: where models with provider "openai" live."""

    base_url: str = "https://api.openai.com/v1"

    @field_validator("base_url")
    @classmethod
    def _http(cls, value: str) -> str:
        if not value.startswith(("http://", "https://")):
            raise ValueError("expected an address that starts with http:// or https://")
        return value


class Scenarios(_Section):
    """`[scenarios]`: what a course adds to those of `data`."""

    folder: Path | None = None
    """A folder with scenarios of your own, as TOML files; one with the name of a shipped one takes its place."""


class Permissions(_Section):
    """`[permissions]`: who may change what a whole channel sees. All lists empty: everybody may."""

    users: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    """Discord role ids, Slack user group ids."""
    stage_roles: tuple[str, ...] = ()
    """Who is shown in /student status what the child believes; users listed above are, too."""


class Limits(_Section):
    """`[limits]`: how much one person and one channel may say."""

    per_user_minute: int = Field(default=12, ge=1, le=1000)
    per_channel_minute: int = Field(default=40, ge=1, le=10_000)
    commands_minute: int = Field(default=20, ge=1, le=1000)
    """Commands of one person."""


class Budget(_Section):
    """`[budget]`: US dollars for paid models in a day of UTC; 0 sets no limit."""

    per_day: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    per_person: float = Field(default=0.0, ge=0, allow_inf_nan=False)


class Metrics(_Section):
    """`[metrics]`: /metrics and /healthz; port 0 takes a free one."""

    host: str = "127.0.0.1"
    port: int = Field(default=9464, ge=0, le=65_535)
    enabled: bool = True


class Log(_Section):
    """`[log]`"""

    level: Literal["debug", "info", "warning", "error"] = "info"


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
    settings = settings_type().model_validate({**found, **_secrets(environment_file)})
    settings._environment_file = environment_file  # noqa: SLF001 - no key of the file, so no field
    return settings


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
