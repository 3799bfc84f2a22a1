"""What a reply costs, and that an unknown price stays unknown."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.models.prices import price_of, read_prices
from bot.student.records.reading import DataError

SHIPPED = Path(__file__).parents[2] / "data" / "prices.toml"
ROW = """
[[prices]]
models = ["one", "one-2026"]
usd_per_million_input = 2
usd_per_million_output = 10.0
date = 2026-11-23
source = "a page"
"""


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "prices.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_cost_is_per_million_tokens(tmp_path: Path) -> None:
    prices = read_prices(written(tmp_path, ROW))
    price = price_of("one-2026", prices)
    assert price is not None
    assert price.cost(1_000_000, 0) == pytest.approx(2)
    assert price.cost(0, 1_000_000) == pytest.approx(10)
    assert price.cost(500, 10) == pytest.approx(0.0011)


def test_cached_tokens_are_cheaper_only_where_a_price_says_so(tmp_path: Path) -> None:
    plain = read_prices(written(tmp_path, ROW))["one"]
    assert plain.cost(1000, 0, cached_tokens=600) == plain.cost(1000, 0)
    cached = read_prices(written(tmp_path, ROW + "usd_per_million_cached_input = 0.5\n"))["one"]
    assert cached.cost(1000, 0, cached_tokens=600) == pytest.approx((400 * 2 + 600 * 0.5) / 1e6)


def test_shipped_prices_are_plausible() -> None:
    prices = read_prices(SHIPPED)
    assert "gpt-4o-mini" in prices
    for model, price in prices.items():
        assert 0 < price.usd_per_million_input < price.usd_per_million_output < 100, model
        cached = price.usd_per_million_cached_input
        assert cached is None or cached < price.usd_per_million_input, model


def test_fine_tuned_models_cost_what_their_base_is_listed_at() -> None:
    prices = read_prices(SHIPPED)
    tuned = price_of("ft:gpt-4o-mini-2024-07-18:school::a1b2", prices)
    assert tuned is not None
    assert tuned == price_of("ft:gpt-4o-mini-2024-07-18:school::a1b2:ckpt-step-90", prices)
    assert tuned != price_of("gpt-4o-mini-2024-07-18", prices)


def test_a_tuned_model_never_takes_its_bases_own_price(tmp_path: Path) -> None:
    assert price_of("ft:one:school::a1b2", read_prices(written(tmp_path, ROW))) is None


@pytest.mark.parametrize("model", ["", "ft:", "gpt-4o-mini-2030-01-01", "llama3.2", "ft:llama:x::y"])
def test_unknown_models_have_no_price(model: str) -> None:
    assert price_of(model, read_prices(SHIPPED)) is None


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (ROW.replace("input = 2", "input = -2"), "price 1: usd_per_million_input"),
        (ROW.replace("input = 2", 'input = "cheap"'), "price 1: usd_per_million_input"),
        (ROW.replace('source = "a page"', ""), "price 1: source"),
        (ROW + "usd_per_million_thinking = 3\n", "usd_per_million_thinking"),
        (ROW + ROW, "'one' has two prices"),
        ("prices = 3", "prices"),
        ("[[prices", "not valid TOML"),
    ],
)
def test_wrong_files_are_named_with_their_key(tmp_path: Path, text: str, names: str) -> None:
    with pytest.raises(DataError, match=r"prices\.toml") as caught:
        read_prices(written(tmp_path, text))
    assert names in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        read_prices(tmp_path / "prices.toml")
