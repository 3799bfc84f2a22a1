"""A student voiced by a chat completions endpoint: OpenAI, Azure OpenAI, and every compatible server
(vLLM, Ollama, llama.cpp, Nebius and others).

It sends the rendered cue and reads the answer. It must not know what a thought means, what a child is,
or what happens to the words.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from http import HTTPStatus
from typing import Annotated, Literal
from urllib.parse import quote

from pydantic import BaseModel, BeforeValidator, SecretStr, ValidationError

from bot.models.base import ModelRefused, ModelUnavailable, Reply
from bot.models.client import FAILURES, Answer, Client
from bot.models.prices import Price
from bot.sections import Provider
from bot.student.records.cue import Cue
from bot.student.voicing import capable, grown_up, prompt

TokensField = Literal["max_tokens", "max_completion_tokens"]
Effort = Literal["none", "minimal", "low", "medium", "high"]

REFUSING_CODES = {"content_filter", "content_policy_violation", "invalid_prompt"}
IDENTIFIER = re.compile(r"[a-z][a-z0-9_.]{0,47}")
"""What of a server's error may go into a log: codes and parameter names, never its prose, which quotes."""


@dataclass(frozen=True, slots=True)
class ChatSettings:
    """One endpoint and model. `key_variable` is the environment variable that `api_key` came from.

    `timeout_s` bounds a reply altogether, retries and waits included. `model` is the deployment's name
    on Azure, whose `base_url` is the resource's, such as https://school.openai.azure.com. With
    `temperature` or `reasoning_effort` None the server's own default holds: OpenAI's reasoning models
    refuse a temperature, and other models refuse an effort. `tokens_field` overrides the provider's
    name for `max_tokens`. `price` is None where it is not known.
    """

    name: str
    model: str
    base_url: str = "https://api.openai.com/v1"
    api_key: SecretStr | None = None
    key_variable: str = "OPENAI_API_KEY"
    provider: Provider = "openai"
    api_version: str | None = None
    timeout_s: float = 20.0
    max_retries: int = 2
    temperature: float | None = None
    max_tokens: int = 80
    tokens_field: TokensField | None = None
    reasoning_effort: Effort | None = None
    ability: Literal["small", "capable"] = "small"
    price: Price | None = None

    def __post_init__(self) -> None:
        """Raise `ValueError` for what no server would take; the message never holds the key."""
        if not self.base_url.startswith(("http://", "https://")):
            raise ValueError(f"{self.name}: base_url: expected https://… or http://…, got {self.base_url!r}")
        if self.provider == "azure" and not self.api_version:
            raise ValueError(f"{self.name}: api_version: Azure needs one, such as '2024-10-21'")
        key = self.api_key.get_secret_value() if self.api_key else ""
        if not key.isascii() or not key.isprintable() or " " in key:
            raise ValueError(f"{self.key_variable}: expected a key without spaces, line ends or accents")


@dataclass(frozen=True, slots=True)
class Ask:
    """What one request has instead of the settings' own. `more` are fields that only some servers know."""

    model: str
    max_tokens: int
    temperature: float
    stop: tuple[str, ...] = ()
    more: Mapping[str, object] = field(default_factory=dict)


class ModelNotFound(ModelUnavailable):
    """The server answers, but has no such model."""


def _text(content: object) -> object:
    """Some compatible servers answer in parts, and put what the model thought aloud in one of its own."""
    if not isinstance(content, list):
        return content
    parts = [
        part for part in content if isinstance(part, dict) and part.get("type") in ("text", "output_text")
    ]
    return "".join(str(part.get("text") or "") for part in parts)


class _Message(BaseModel):
    content: Annotated[str | None, BeforeValidator(_text)] = None
    refusal: str | None = None


class _Choice(BaseModel):
    message: _Message
    finish_reason: str | None = None


class _CacheDetails(BaseModel):
    cached_tokens: int | None = None


class _Usage(BaseModel):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    prompt_tokens_details: _CacheDetails | None = None


class _Completion(BaseModel):
    """The part of an answer that is read here: compatible servers leave out fields that OpenAI always sends."""

    choices: list[_Choice]
    usage: _Usage | None = None


class ChatModel:
    """A `StudentModel` over one shared client; safe for any number of replies at once."""

    def __init__(self, settings: ChatSettings) -> None:
        self._settings = settings
        # Only this key, and only where there is one: another server's must not get OpenAI's.
        key = settings.api_key.get_secret_value() if settings.api_key else ""
        azure = settings.provider == "azure"
        headers = {"api-key": key} if azure else {"Authorization": f"Bearer {key}"}
        self._path = "/chat/completions"
        if azure:
            deployment = quote(settings.model, safe="")
            self._path = f"/openai/deployments/{deployment}{self._path}?api-version={settings.api_version}"
        self._client = Client(
            settings.base_url,
            headers=headers if key else {},
            retries=settings.max_retries,
            longest_wait=settings.timeout_s,
        )

    @property
    def name(self) -> str:
        """The name in the config."""
        return self._settings.name

    @property
    def version(self) -> str:
        """The model id, as sent to the server."""
        return self._settings.model

    async def reply(self, cue: Cue, *, seed: int | None) -> Reply:
        """Ask for the child's words; raise `ModelUnavailable` or `ModelRefused`, nothing else."""
        able = self._settings.ability == "capable"
        if cue.parent is not None:
            if not able:
                raise self._unavailable("only a capable model can play a grown-up")
            asked = grown_up.render(cue, cue.parent)
            return await self.complete([asdict(message) for message in asked], seed=seed)
        render = capable.render if able else prompt.render
        return await self.complete([asdict(message) for message in render(cue)], seed=seed)

    async def complete(
        self, messages: Sequence[Mapping[str, str]], *, seed: int | None, ask: Ask | None = None
    ) -> Reply:
        """The server's next message; raise `ModelUnavailable` or `ModelRefused`, nothing else.

        The client retries connection errors, 429 and 5xx; the deadline here ends all of it.
        """
        settings = self._settings
        if settings.provider != "compatible" and not settings.api_key:
            raise self._unavailable(f"{settings.key_variable} is not set")
        start = time.perf_counter()
        async with self._told():
            answer = await self._ask(messages, seed, ask)
        if not answer.ok:
            raise self._status_error(answer, ask.model if ask else settings.model)
        return self._read(answer.body, (time.perf_counter() - start) * 1000)

    async def call(self, method: Literal["get", "post"], path: str, body: object = None) -> Answer:
        """Ask for something else that this server can do; raise `ModelUnavailable` where nothing answers."""
        async with self._told():
            return await self._client.ask(method, path, body)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    @asynccontextmanager
    async def _told(self) -> AsyncIterator[None]:
        """The deadline, and where nothing was answered the reason."""
        settings = self._settings
        try:
            async with asyncio.timeout(settings.timeout_s):
                yield
        except TimeoutError:
            raise self._unavailable(f"no answer within {settings.timeout_s:g} s") from None
        except FAILURES as error:
            raise self._unavailable(f"connection failed ({type(error).__name__})") from None
        except ValueError as error:
            raise self._unavailable(f"request failed ({type(error).__name__})") from None

    async def _ask(self, messages: Sequence[Mapping[str, str]], seed: int | None, ask: Ask | None) -> Answer:
        settings = self._settings
        limit = settings.tokens_field or (
            # Newer OpenAI models refuse the old name; compatible servers often know only that one.
            "max_tokens" if settings.provider == "compatible" else "max_completion_tokens"
        )
        fields: dict[str, object] = {
            "model": ask.model if ask else settings.model,
            "messages": [dict(message) for message in messages],
            limit: ask.max_tokens if ask else settings.max_tokens,
            "temperature": ask.temperature if ask else settings.temperature,
            "reasoning_effort": settings.reasoning_effort,
            "seed": seed,
        }
        body = {name: value for name, value in fields.items() if value is not None}
        if ask:
            body |= {"stop": list(ask.stop), **ask.more}
        return await self._client.ask("post", self._path, body)

    def _read(self, body: bytes, latency_ms: float) -> Reply:
        try:
            completion = _Completion.model_validate_json(body)
        except ValidationError:
            raise self._unavailable("the answer is not a chat completion (check base_url)") from None
        if not completion.choices:
            raise self._unavailable("the answer has no choices")
        choice = completion.choices[0]
        if choice.finish_reason == "content_filter":
            raise ModelRefused(f"{self.name}: stopped by the content filter")
        if choice.message.refusal:
            raise ModelRefused(f"{self.name}: the model refused")
        text = choice.message.content
        if not text or not text.strip():
            hint = " (max_tokens used up, perhaps by reasoning)" if choice.finish_reason == "length" else ""
            raise self._unavailable(f"the answer has no text{hint}")
        usage = completion.usage or _Usage()
        return Reply(
            text=text,
            prompt_tokens=usage.prompt_tokens,
            completion_tokens=usage.completion_tokens,
            cost_usd=self._cost(usage),
            latency_ms=latency_ms,
        )

    def _cost(self, usage: _Usage) -> float | None:
        price, details = self._settings.price, usage.prompt_tokens_details
        if price is None or usage.prompt_tokens is None or usage.completion_tokens is None:
            return None
        cached = (details.cached_tokens or 0) if details else 0
        return price.cost(usage.prompt_tokens, usage.completion_tokens, cached)

    def _status_error(self, answer: Answer, model: str) -> ModelUnavailable | ModelRefused:
        said = (answer.error.get("code"), answer.error.get("param"))
        named = [part for part in said if isinstance(part, str) and IDENTIFIER.fullmatch(part)]
        if REFUSING_CODES.intersection(named):
            return ModelRefused(f"{self.name}: the prompt was stopped by the content filter")
        status = " ".join([f"HTTP {answer.status}", *named])
        if answer.status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
            return self._unavailable(f"credentials refused ({status}): check {self._settings.key_variable}")
        if answer.status == HTTPStatus.NOT_FOUND:
            return ModelNotFound(
                f"{self.name}: model {model!r} not found ({status}): check model and base_url"
            )
        if answer.status == HTTPStatus.TOO_MANY_REQUESTS:
            return self._unavailable(f"too many requests or no quota left ({status})")
        return self._unavailable(f"the server answered with an error ({status})")

    def _unavailable(self, reason: str) -> ModelUnavailable:
        return ModelUnavailable(f"{self.name}: {reason}")
