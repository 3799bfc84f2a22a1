"""One question to a platform's API, without opening the platform: whether the bot can see a channel.

It knows HTTP and JSON, and no platform.
"""

from __future__ import annotations

from typing import Any


async def ask(
    method: str, url: str, login: dict[str, str], form: dict[str, str] | None = None
) -> dict[str, Any]:
    """What the server says, whatever its status. Raises `OSError` or `ValueError`."""
    import aiohttp  # noqa: PLC0415 - settings are made without it

    timeout = aiohttp.ClientTimeout(total=5)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout, trust_env=True) as session,
            session.request(method, url, headers=login, data=form) as response,
        ):
            return dict(await response.json(content_type=None))
    except (aiohttp.ClientError, TimeoutError, TypeError) as error:
        raise OSError(str(error) or type(error).__name__) from None
