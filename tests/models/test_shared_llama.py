"""One llama.cpp server for several bots: its own HTTP server, a real one, asked by two of them at once."""

from __future__ import annotations

import asyncio
from pathlib import Path

import xllamacpp

from bot.models.base import Reply
from bot.models.chat import ChatModel, ChatSettings

SAID = [{"role": "user", "content": "What is 52 minus 17?"}]


async def test_two_bots_are_answered_by_one_server_and_each_counts_its_tokens(small: Path) -> None:
    params = xllamacpp.CommonParams()
    params.model.path = str(small)
    params.n_parallel, params.n_ctx, params.verbosity, params.fit_params = 2, 1024, -1, False
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    server = await asyncio.to_thread(xllamacpp.Server, params)
    settings = ChatSettings(
        name="shared",
        model="small",
        base_url=f"{server.listening_address}/v1",
        provider="compatible",
        timeout_s=60.0,
        max_tokens=8,
        temperature=1.0,
    )
    bots = [ChatModel(settings) for _ in range(2)]

    async def ask(bot: ChatModel, seed: int) -> Reply:
        return await bot.complete(SAID, seed=seed)

    replies = await asyncio.gather(*(ask(bot, seed) for seed in (1, 2) for bot in bots))
    assert all(each.text.strip() and each.prompt_tokens and each.completion_tokens for each in replies)
    assert {each.prompt_tokens for each in replies} == {replies[0].prompt_tokens}
    for bot in bots:
        await bot.aclose()
