"""A vLLM server that runs elsewhere: adapters are loaded into it as versions come, and taken out as they go.

The server is somebody else's to start, with the same base model that the adapters were trained on:
`VLLM_ALLOW_RUNTIME_LORA_UPDATING=True vllm serve MODEL --enable-lora`. It reads the adapters itself, so it must
see their folders. This knows what vLLM adds to OpenAI's API; it knows nothing of children, thoughts or platforms.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path

import structlog
from pydantic import BaseModel, SecretStr, ValidationError

from bot.models.base import ModelRefused, ModelUnavailable
from bot.models.chat import Ask, ChatModel, ChatSettings, ModelNotFound
from bot.models.engines.base import Completion, Engine, EngineError, Messages, Sampling, SideBySide

log = structlog.get_logger(__name__)

KEY_VARIABLE = "VLLM_API_KEY"
NO_LOADING = (
    "the server loads no adapters: start it with VLLM_ALLOW_RUNTIME_LORA_UPDATING=True and --enable-lora"
)


class _Card(BaseModel):
    id: str
    root: str | None = None
    parent: str | None = None


class _Cards(BaseModel):
    data: list[_Card]


class VllmEngine(SideBySide):
    """A server's base model, and the adapters we had it load. Make it with `start`; close it with `aclose`.

    An adapter is called by its folder, `<name>-<version>`: what is loaded into the server is seen by all who use it.
    """

    def __init__(self, chat: ChatModel, base: str, folder: str | None) -> None:
        self.base = base
        """What the server calls its base model."""
        self._chat = chat
        self._folder = folder
        self._holders: Counter[Path] = Counter()
        """How often each adapter was asked for: a version that comes back must outlive its first life's end."""
        self._changing = asyncio.Lock()
        self._loading = asyncio.Lock()

    @classmethod
    async def start(  # noqa: PLR0913 - how a server is asked
        cls,
        url: str,
        *,
        key: SecretStr | None = None,
        timeout_s: float = 20.0,
        retries: int = 1,
        folder: str | None = None,
        adapters: Sequence[Path] = (),
    ) -> VllmEngine:
        """Ask the server at `url` (which ends in /v1) what it serves; raise `EngineError`.

        `folder` is where the server sees the folder of published models, None: where we see it.
        """
        try:
            chat = ChatModel(
                ChatSettings(
                    name="vllm",
                    model="base",
                    base_url=url,
                    api_key=key,
                    key_variable=KEY_VARIABLE,
                    provider="compatible",
                    timeout_s=timeout_s,
                    max_retries=retries,
                )
            )
        except ValueError as error:
            raise EngineError(str(error)) from None
        try:
            base = next((card.id for card in await _cards(chat) if not card.parent), None)
            if base is None:
                raise EngineError("vllm: the server serves no model")
            engine = cls(chat, base, folder)
            for adapter in adapters:
                await engine.hold(adapter)
        except BaseException:
            await chat.aclose()
            raise
        return engine

    @property
    def adapters(self) -> tuple[Path, ...]:
        """The adapters that `complete` can put on the model."""
        return tuple(self._holders)

    async def complete(
        self,
        messages: Messages,
        sampling: Sampling,
        *,
        adapter: Path | None = None,
        conversation: str = "",  # noqa: ARG002 - nothing is kept for it here
    ) -> Completion:
        """The model's next message. The server leaves `min_p` to be decided after the temperature."""
        if adapter is not None and adapter not in self._holders:
            raise EngineError(f"the adapter {_name(adapter)} is no longer loaded")
        ask = Ask(
            model=_name(adapter) if adapter else self.base,
            max_tokens=sampling.max_tokens,
            temperature=sampling.temperature,
            stop=sampling.stop,
            # All that the model's authors may have set otherwise for it.
            more={
                "top_p": sampling.top_p,
                "min_p": sampling.min_p,
                "top_k": -1,
                "repetition_penalty": 1.0,
            },
        )
        try:
            try:
                reply = await self._chat.complete(messages, seed=sampling.seed, ask=ask)
            except ModelNotFound:
                if adapter is None:
                    raise
                # A server that was started anew has forgotten what it had loaded.
                await self._load(adapter)
                reply = await self._chat.complete(messages, seed=sampling.seed, ask=ask)
        except (ModelUnavailable, ModelRefused) as error:
            raise EngineError(str(error)) from None
        return Completion(
            text=reply.text,
            prompt_tokens=reply.prompt_tokens or 0,
            cached_tokens=0,
            completion_tokens=reply.completion_tokens or 0,
        )

    async def remember(self, messages: Messages, *, adapter: Path | None = None) -> None:
        """Let the server read `messages` once: it keeps what it read."""
        with suppress(EngineError):
            await self.complete(messages, Sampling(max_tokens=1, temperature=0.0), adapter=adapter)

    async def add_adapter(self, adapter: Path, proof: Callable[[Engine], Awaitable[object]]) -> None:
        """Have the server load `adapter`, too, if `proof` finds nothing against it."""
        async with self._changing:
            await self.hold(adapter)
            try:
                await proof(self)
            except BaseException:
                await self.drop_adapter(adapter)
                raise

    async def drop_adapter(self, adapter: Path) -> None:
        """Have the server forget `adapter`, once nobody holds it. A server that does not answer has no need to."""
        if adapter not in self._holders:
            return
        self._holders[adapter] -= 1
        if not self._holders[adapter]:
            del self._holders[adapter]
            try:
                async with self._loading:
                    await self._chat.call("post", "/unload_lora_adapter", {"lora_name": _name(adapter)})
            except ModelUnavailable as error:
                log.warning("adapter not unloaded", adapter=_name(adapter), reason=str(error))

    async def aclose(self) -> None:
        """Close the connections. What the server loaded stays there: other bots may speak with it, and the next start
        of this one will."""
        await self._chat.aclose()

    async def figures(self) -> bytes:
        """What the server tells Prometheus; raise `EngineError`."""
        try:
            # They stand beside /v1, not below it.
            return (await self._chat.call("get", "/../metrics")).body
        except ModelUnavailable as error:
            raise EngineError(str(error)) from None

    async def hold(self, adapter: Path) -> None:
        """Have the server load `adapter`, unless it has; raise `EngineError`."""
        name = _name(adapter)
        if any(_name(each) == name and each != adapter for each in self._holders):
            raise EngineError(
                f"vllm: another version is called {name}, too; publish this one under another name"
            )
        if adapter not in self._holders:
            await self._load(adapter)
        self._holders[adapter] += 1

    async def _load(self, adapter: Path) -> None:
        name, at = _name(adapter), self._seen(adapter)
        body = {"lora_name": name, "lora_path": at}
        try:
            async with self._loading:
                answer = await self._chat.call("post", "/load_lora_adapter", body)
                if answer.status == HTTPStatus.BAD_REQUEST and "already been loaded" in answer.said:
                    if any(card.id == name and card.root == at for card in await _cards(self._chat)):
                        return
                    # Of the same name, but somebody else's.
                    await self._chat.call("post", "/unload_lora_adapter", {"lora_name": name})
                    answer = await self._chat.call("post", "/load_lora_adapter", body)
        except ModelUnavailable as error:
            raise EngineError(str(error)) from None
        if answer.status == HTTPStatus.OK:
            return
        if answer.status == HTTPStatus.NOT_FOUND and answer.kind is None:
            raise EngineError(f"vllm: {NO_LOADING}")
        raise EngineError(
            f"vllm: the server does not load {name} from {at} (HTTP {answer.status}):"
            " can it read that folder (see [engine] vllm_models), and is its --max-lora-rank high enough?"
        )

    def _seen(self, adapter: Path) -> str:
        """The adapter's folder, as the server is told of it."""
        folder = adapter.parent
        if self._folder is None:
            return str(folder.resolve())
        return f"{self._folder.rstrip('/')}/{folder.parent.name}/{folder.name}"


def _name(adapter: Path) -> str:
    return f"{adapter.parent.parent.name}-{adapter.parent.name}"


async def _cards(chat: ChatModel) -> list[_Card]:
    try:
        answer = await chat.call("get", "/models")
        return _Cards.model_validate(json.loads(answer.body)).data
    except ModelUnavailable as error:
        raise EngineError(str(error)) from None
    except (ValidationError, ValueError):
        refused = answer.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}
        hint = f"check {KEY_VARIABLE}" if refused else "check [engine] vllm_url, which ends in /v1"
        raise EngineError(f"vllm: no list of models (HTTP {answer.status}): {hint}") from None
