"""The sections of config.toml but those of platforms: one frozen model each, with their defaults and bounds.

How the file and the environment are read is `config`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from bot import platforms

Provider = Literal["openai", "azure", "compatible"]
"""Whose API serves a model."""
BASE_MODEL = "base"
"""The name of the embedded model without any training."""


class Section(BaseModel):
    """What all sections are: frozen, and without keys that nobody knows."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Student(Section):
    """`[student]`: who speaks where nothing else was chosen."""

    child: str = "mia"
    lesson: str = "2.NBT.B.5-subtract"
    model: str = "starter"  # in data/models, made by `training lora`
    fallback: str = BASE_MODEL
    ear: str = ""
    """A hosted model that is asked what each turn of the teacher does; "": the trained ear alone."""


class Engine(Section):
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
    vllm_url: str | tuple[str, ...] = ""
    """One server, or several with the same model."""
    vllm_models: str = ""
    """The folder `models` of `data`, as the vLLM server sees it; "": where we see it."""

    @property
    def vllm_urls(self) -> tuple[str, ...]:
        """The addresses of all vLLM servers."""
        given = (self.vllm_url,) if isinstance(self.vllm_url, str) else self.vllm_url
        return tuple(dict.fromkeys(each for each in given if each))

    @field_validator("vllm_url")
    @classmethod
    def _http(cls, value: str | tuple[str, ...]) -> str | tuple[str, ...]:
        for each in (value,) if isinstance(value, str) else value:
            if each and not each.startswith(("http://", "https://")):
                raise ValueError("expected an address such as http://localhost:8000/v1")
        return value

    @model_validator(mode="after")
    def _server(self) -> Self:
        if self.engine == "vllm" and not self.vllm_urls:
            raise ValueError('vllm_url is needed for engine "vllm", such as http://localhost:8000/v1')
        return self


class Classroom(Section):
    """`[classroom]`: time and room for one message."""

    reply_seconds: float = Field(default=25.0, gt=0, le=600)
    patience_seconds: float = Field(default=120.0, gt=0, le=3600)
    moment_seconds: float = Field(default=4.0, ge=0, le=3600)
    send_seconds: float = Field(default=15.0, gt=0, le=600)
    queue: int = Field(default=20, ge=1, le=1000)
    shutdown_seconds: float = Field(default=20.0, gt=0, le=600)
    recover_minutes: float = Field(default=30.0, ge=0, le=10_080)
    next_day_hours: float = Field(default=8.0, gt=0, le=10_000)


class Privacy(Section):
    """`[privacy]`: what may be used for training."""

    consent: Literal["opt_in", "opt_out", "off"] = "opt_in"
    keep_days: int = Field(default=0, ge=0, le=36_500)
    """What is older is deleted by the job "retention"; 0 keeps everything."""


class Jobs(Section):
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
        known = [each for each in platforms.PLATFORMS if each.channel]
        if value and value.partition(":")[0] not in {each.name for each in known}:
            examples = " or ".join(f"'{each.name}:{each.channel}'" for each in known)
            raise ValueError(f"expected a channel such as {examples}")
        return value


class Gates(Section):
    """`[gates]`: when training may make a new version the live one."""

    enabled: bool = True
    metrics: tuple[str, ...] = ("validation_loss", "valid_loss", "optimised", "authentic", "teachable")
    """Figures of a manifest's evaluation; a dot leads into a part. Where one of both versions lacks it, it passes."""
    tolerance: float = Field(default=0.01, ge=0)


class ChatModel(Section):
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


class OpenAI(Section):
    """`[openai]`: where models with provider "openai" live."""

    base_url: str = "https://api.openai.com/v1"

    @field_validator("base_url")
    @classmethod
    def _http(cls, value: str) -> str:
        if not value.startswith(("http://", "https://")):
            raise ValueError("expected an address that starts with http:// or https://")
        return value


class Scenarios(Section):
    """`[scenarios]`: what a course adds to those of `data`."""

    folder: Path | None = None
    """A folder with scenarios of your own, as TOML files; one with the name of a shipped one takes its place."""


class Permissions(Section):
    """`[permissions]`: who may change what a whole channel sees. All lists empty: everybody may."""

    users: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    """Discord role ids, Slack user group ids."""
    stage_roles: tuple[str, ...] = ()
    """Who is shown in /student status what the child believes; users listed above are, too."""


class Limits(Section):
    """`[limits]`: how much one person and one channel may say."""

    per_user_minute: int = Field(default=12, ge=1, le=1000)
    per_channel_minute: int = Field(default=40, ge=1, le=10_000)
    commands_minute: int = Field(default=20, ge=1, le=1000)
    """Commands of one person."""


class Budget(Section):
    """`[budget]`: US dollars for paid models in a day of UTC; 0 sets no limit."""

    per_day: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    per_person: float = Field(default=0.0, ge=0, allow_inf_nan=False)


class Metrics(Section):
    """`[metrics]`: /metrics and /healthz; port 0 takes a free one."""

    host: str = "127.0.0.1"
    port: int = Field(default=9464, ge=0, le=65_535)
    enabled: bool = True


class Log(Section):
    """`[log]`"""

    level: Literal["debug", "info", "warning", "error"] = "info"
