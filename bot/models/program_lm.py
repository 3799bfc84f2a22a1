"""The language models under a DSPy program: the engine in this process, or a chat completions server.

It turns DSPy's requests into answers and their failures into DSPy's errors. It must not know signatures,
programs or children. DSPy's caches stay off: a child may say another thing the next time, a repeated
answer reports no usage, and what lies in a disk cache would be unpickled.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Any

import dspy
from dspy import lm15
from pydantic import SecretStr

from bot.models.embedded import AGAIN_TEMPERATURE, MIN_P
from bot.models.engines.base import EngineError, Sampling
from bot.models.engines.llama_cpp import LlamaCppEngine
from bot.models.prices import Price

CONVERSATION: ContextVar[str] = ContextVar("conversation", default="")
"""Whose words a call is for, which DSPy has no place for."""
REFUSED = "content_filter"
"""The code of an answer that the server's filter or the model itself declined."""
OPENAI_URL = "https://api.openai.com/v1"
MAX_TOKENS = 400
"""For an answer with the reasoning before it; one without is cut by the child's own length."""


@dataclass(frozen=True, slots=True)
class Embedded:
    """The engine in this process. Closing a program leaves it to its owner."""

    engine: LlamaCppEngine
    temperature: float = 0.5


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A chat completions server and a model on it; `price` is None where it is not known.

    `timeout_s` bounds a reply altogether, retries included. With `temperature` None the server's own
    holds. `tokens_field` is what the server calls the limit; None: what is right for the address, since
    newer OpenAI models refuse "max_tokens" and other servers often know nothing else.
    """

    model: str
    base_url: str = OPENAI_URL
    api_key: SecretStr | None = None
    timeout_s: float = 20.0
    max_retries: int = 2
    temperature: float | None = None
    max_tokens: int = MAX_TOKENS
    tokens_field: str | None = None
    price: Price | None = None

    def __post_init__(self) -> None:
        """Raise `ValueError` for what no server would take; the message never holds the key."""
        if not self.base_url.startswith(("http://", "https://")):
            raise ValueError(f"base_url: expected https://… or http://…, got {self.base_url!r}")
        if self.tokens_field not in {None, "max_tokens", "max_completion_tokens"}:
            raise ValueError(
                f"tokens_field: expected max_tokens or max_completion_tokens, got {self.tokens_field!r}"
            )
        key = self.api_key.get_secret_value() if self.api_key else ""
        if not key.isascii() or not key.isprintable() or " " in key:
            raise ValueError("api_key: expected a key without spaces, line ends or accents")


Backend = Embedded | Endpoint


def language_model(backend: Backend, *, again: bool = False) -> dspy.LM:
    """The backend as DSPy's language model. `again` leaves little to chance, as a second try should."""
    temperature = backend.temperature
    if again:
        temperature = min(temperature or AGAIN_TEMPERATURE, AGAIN_TEMPERATURE)
    if isinstance(backend, Embedded):
        here = _Here(backend.engine)
        # A note to the child is one line, and so is what it says.
        return _managed("embedded", here, _Blocking(here), temperature=temperature, stop=["\n"])
    return _managed(
        backend.model,
        _Server(backend),
        _BlockingServer(backend),
        temperature=backend.temperature if backend.temperature is None else temperature,
        max_tokens=backend.max_tokens,
        num_retries=backend.max_retries,
    )


def _managed(model: str, engine: Any, blocking: Any, *, num_retries: int = 0, **settings: Any) -> dspy.LM:
    # DSPy reads a provider out of a name with a slash in it, and rules out of OpenAI's names.
    return dspy.LM(
        f"pupil:{model.replace('/', ':')}",
        engine=blocking,
        async_engine=engine,
        cache=False,
        num_retries=num_retries,
        **settings,
    )


async def close(model: dspy.LM) -> None:
    """Release the connections of a model made here."""
    await model._async_engine_spec.aclose()  # noqa: SLF001 - DSPy borrows engines, and tells nobody which
    model.engine.close()


class _Here:
    """llama.cpp as DSPy asks it."""

    def __init__(self, engine: LlamaCppEngine) -> None:
        self._engine = engine

    async def complete(self, request: lm15.Request) -> lm15.Response:
        config = request.config
        sampling = Sampling(
            max_tokens=config.max_tokens or MAX_TOKENS,
            temperature=config.temperature or 0.0,
            min_p=MIN_P,
            seed=config.seed,
            stop=tuple(config.stop),
        )
        try:
            done = await self._engine.complete(_messages(request), sampling, conversation=CONVERSATION.get())
        except EngineError as error:
            raise lm15.ServerError(str(error)) from None
        return lm15.Response(
            id=None,
            model=request.model,
            message=lm15.Message.assistant(done.text),
            finish_reason="stop",
            usage=lm15.Usage(input_tokens=done.prompt_tokens, output_tokens=done.completion_tokens),
        )

    async def aclose(self) -> None:
        """The engine is its owner's."""


class _Blocking:
    """The same for optimisers, which ask from threads of their own, without an event loop."""

    def __init__(self, engine: _Here) -> None:
        self._engine = engine

    def complete(self, request: lm15.Request) -> lm15.Response:
        return asyncio.run(self._engine.complete(request))

    def close(self) -> None:
        """The engine is its owner's."""


class _Server:
    """DSPy's own client for chat completions, told everything: it takes no key or address from elsewhere."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._model = endpoint.model
        self._client = lm15.AsyncOpenAIChatLM(**_connection(endpoint))

    async def complete(self, request: lm15.Request) -> lm15.Response:
        return _checked(await self._client.complete(replace(request, model=self._model)))

    async def aclose(self) -> None:
        await self._client.aclose()


class _BlockingServer:
    """The same for optimisers."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._model = endpoint.model
        self._client = lm15.OpenAIChatLM(**_connection(endpoint))

    def complete(self, request: lm15.Request) -> lm15.Response:
        return _checked(self._client.complete(replace(request, model=self._model)))

    def close(self) -> None:
        self._client.close()


def _connection(endpoint: Endpoint) -> dict[str, Any]:
    openais = endpoint.base_url.rstrip("/") == OPENAI_URL
    field = endpoint.tokens_field or ("max_completion_tokens" if openais else "max_tokens")
    return {
        # Never None: the client would look for a key in the environment and send it to a stranger's server.
        "api_key": endpoint.api_key.get_secret_value() if endpoint.api_key else "none",
        "base_url": endpoint.base_url,
        "compat": lm15.OpenAIChatCompat(instruction_role="system", max_tokens_field=field),
    }


def _checked(response: lm15.Response) -> lm15.Response:
    refused = any(isinstance(part, lm15.RefusalPart) for part in response.message.parts)
    if refused or response.finish_reason == REFUSED:
        raise lm15.InvalidRequestError("the model or its filter declined", provider_code=REFUSED)
    return response


def _messages(request: lm15.Request) -> Sequence[dict[str, str]]:
    system = request.system or ""
    if not isinstance(system, str):
        system = "".join(part.text for part in system if isinstance(part, lm15.TextPart))
    rest = [
        {"role": "system" if message.role == "developer" else message.role, "content": message.text or ""}
        for message in request.messages
    ]
    return [{"role": "system", "content": system}, *rest] if system else rest
