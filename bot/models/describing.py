"""The list of models as people see it: what each is, which version answers, what it costs, what is wrong with it.

It opens no model. It knows the settings and what is known of published versions.
"""

from __future__ import annotations

from dataclasses import dataclass

from bot.config import Settings
from bot.models.engines.base import EngineError
from bot.models.engines.weights import check_gguf, known_gguf
from bot.models.files import ArtifactError
from bot.models.manifest import read_manifest
from bot.models.prices import price_of, read_prices
from bot.models.published import Published, VersionInfo
from bot.sections import BASE_MODEL

HERE = "runs here"
UNPRICED = "price unknown"


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """A line of the list of models.

    `problem` says why it, or the version that was promoted, cannot be used, or is None. `state` is "ready" or
    "refused", of a published model "live", "refused" or "candidate". `versions` are those of a published model,
    oldest first.
    """

    name: str
    kind: str
    version: str
    price: str
    problem: str | None = None
    state: str = "ready"
    versions: tuple[VersionInfo, ...] = ()


def describe(settings: Settings, name: str) -> ModelInfo:
    """The embedded model or one of config.toml."""
    if name == BASE_MODEL:
        try:
            gguf = known_gguf(settings)
            check_gguf(gguf)
        except EngineError as error:
            return ModelInfo(name, "embedded", "", HERE, str(error), "refused")
        return ModelInfo(name, "embedded", gguf.stem, HERE)
    wanted = settings.models[name]
    problem = None
    if settings.key(wanted.key_variable) is None and wanted.provider != "compatible":
        problem = f"{wanted.key_variable} is not set"
    shown = _price(settings, wanted.model, wanted.provider)
    return ModelInfo(name, wanted.provider, wanted.model, shown, problem, "refused" if problem else "ready")


def describe_published(
    settings: Settings, published: Published, name: str, taken: tuple[str, ...]
) -> ModelInfo:
    """A published model; `taken` are the names that config.toml has given away."""
    versions = published.versions(name)
    live = next((each.version for each in versions if each.state == "live"), "")
    manifest = published.live(name)
    try:
        shown = live or next((each.version for each in versions if each.current), "")
        if manifest is None and shown:
            manifest = read_manifest(settings.data / "models" / name / shown, name, shown)
    except ArtifactError:
        pass
    kind, price = "published", ""
    if manifest is not None:
        kind, price = manifest.kind, HERE
        if manifest.base is not None and manifest.endpoint is not None:
            price = _price(settings, manifest.base.id, "openai")
    problem = published.problem(name)
    if name in taken:
        live, problem = "", f"the name {name!r} is taken by config.toml; publish it under another"
    state = "live" if live else "refused" if any(each.current for each in versions) else "candidate"
    return ModelInfo(name, kind, live, price, problem, state, versions)


def _price(settings: Settings, model: str, provider: str) -> str:
    price = price_of(model, read_prices(settings.data / "prices.toml"))
    if price is None or provider != "openai":
        return UNPRICED
    return f"${price.usd_per_million_input:g} in, ${price.usd_per_million_output:g} out per million tokens"
