"""Perplexity: each of the child's tokens once, as the whole model would foretell it, and intervals over dialogues."""

# ruff: noqa: E402 - what may not be installed is imported after the question whether it is

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="local training needs the extra train")
pytest.importorskip("trl")

from peft import LoraConfig, get_peft_model

from bot.models.artifact import publish
from bot.models.engines.weights import embedded_gguf
from bot.models.files import ArtifactError
from bot.models.manifest import Base as ManifestBase
from bot.student.lessons import read_lessons
from bot.student.records.child import read_children
from bot.student.records.dialogue import Dialogue, Role, Thought, ThoughtKind, Turn
from bot.student.records.reading import DataError
from tests.fakes.adapters import manifest, publish_adapter
from tests.fakes.students import DATA, settings_at
from tests.fakes.tiny_llama import write_tiny_llama
from training.evaluate.perplexity import Row, Scored, rows_of, score
from training.evaluate.perplexity_command import adapter_of
from training.methods import lora_base
from training.methods.lora_base import NOT_TRAINED, Base

CHILDREN = read_children(DATA / "children")
LESSONS = read_lessons(DATA / "lessons")
# PEFT asks transformers for a name of before.
pytestmark = pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")
torch.set_num_threads(1)


def dialogue(identifier: str, exchanges: int) -> Dialogue:
    turns: list[Turn] = []
    for number in range(exchanges):
        answer = str(number + 10)
        thought = Thought(ThoughtKind.ANSWER, answer=answer, words=2)
        turns += [
            Turn(Role.TEACHER, f"What is {number} plus 10, {identifier}?"),
            Turn(Role.STUDENT, f"It's {answer}.", thought=thought),
        ]
    return Dialogue(identifier, tuple(turns), child="mia", lesson="2.NBT.B.5-subtract")


# The bot forgets the oldest exchanges of the long one, which makes it several conversations.
DIALOGUES = [dialogue("a", 2), dialogue("long", 10), dialogue("c", 3)]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Base:
    """A random Llama with the embedded model's tokenizer."""
    return lora_base.load(write_tiny_llama(tmp_path_factory.mktemp("tiny")), "float32")


@pytest.fixture(scope="module")
def rows(base: Base) -> list[Row]:
    return rows_of(base, DIALOGUES, CHILDREN, LESSONS)


def whole(base: Base, model: Any, rows: list[Row]) -> dict[str, list[float]]:
    """Every row alone, with all its logits."""
    found: dict[str, list[float]] = {}
    for row in rows:
        with torch.inference_mode():
            logits = model(input_ids=torch.tensor([list(row.ids)])).logits[0]
        shares = torch.log_softmax(logits, dim=-1)
        found.setdefault(row.dialogue, []).extend(
            -float(shares[place - 1, label]) for place, label in enumerate(row.labels) if label != NOT_TRAINED
        )
    return found


def test_each_token_of_the_child_is_counted_once_and_as_the_whole_model_foretells_it(
    base: Base, rows: list[Row]
) -> None:
    assert len(rows) > len(DIALOGUES)
    seen: list[int] = []
    scored = score(base, rows, None, seen.append)
    assert sum(seen) == len(rows)
    expected = whole(base, base.model, rows)
    for name, losses in expected.items():
        assert scored.losses[name] == pytest.approx(losses, abs=1e-4)
    words = [turn.content for each in DIALOGUES for turn in each.turns if turn.role is Role.STUDENT]
    said = sum(len(base.tokenizer(text + "<|im_end|>")["input_ids"]) for text in words)
    assert scored.tokens == said
    nats = [loss for each in expected.values() for loss in each]
    assert scored.perplexity == pytest.approx(math.exp(sum(nats) / len(nats)), rel=1e-4)
    assert scored.by_dialogue()["c"] == pytest.approx(
        math.exp(sum(expected["c"]) / len(expected["c"])), rel=1e-4
    )


def test_an_adapter_is_put_on_and_taken_off(base: Base, rows: list[Row], tmp_path: Path) -> None:
    before = score(base, rows, None, lambda _: None)
    model = get_peft_model(base.model, LoraConfig(r=4, target_modules=["q_proj", "v_proj"]))
    for name, weights in model.named_parameters():
        if "lora_" in name:
            torch.nn.init.normal_(weights, std=0.3)
    model.save_pretrained(tmp_path, save_embedding_layers=False)
    expected = whole(base, model.eval(), rows)
    model.unload()
    adapted = score(base, rows, tmp_path, lambda _: None)
    for name, losses in expected.items():
        assert adapted.losses[name] == pytest.approx(losses, abs=1e-4)
    assert adapted.losses != before.losses
    assert score(base, rows, None, lambda _: None).losses == before.losses
    (tmp_path / "adapter_model.safetensors").write_bytes(b"none")
    with pytest.raises(DataError, match="is no adapter for") as raised:
        score(base, rows, tmp_path, lambda _: None)
    assert "\n" not in str(raised.value)
    assert score(base, rows[:1], None, lambda _: None).losses == {
        "a": pytest.approx(before.losses["a"], abs=1e-5)
    }


def test_intervals_and_a_comparison_in_pairs() -> None:
    log2 = math.log(2)
    one = Scored(dict.fromkeys("abcd", (log2, 3 * log2)))
    half = Scored(dict.fromkeys("abcd", (0.0, 2 * log2)))
    own = one.interval()
    assert (own.mean, own.low, own.high) == pytest.approx((4, 4, 4))
    share = half.against(one)
    assert (share.mean, share.high) == pytest.approx((0.5, 0.5))
    uneven = Scored({"a": (log2,) * 9, "b": (5 * log2,)})
    assert uneven.perplexity == pytest.approx(2**1.4), "tokens count alike, not dialogues"
    assert uneven.interval().low == pytest.approx(2)


def test_nothing_to_score_is_told(base: Base) -> None:
    with pytest.raises(DataError, match="no dialogue can be scored"):
        rows_of(base, [dialogue("a", 0)], CHILDREN, LESSONS)


def test_models_by_name_and_by_folder(tmp_path: Path) -> None:
    gguf = embedded_gguf()
    settings = settings_at(tmp_path / "pupil.db").model_copy(update={"data": tmp_path})
    models = tmp_path / "models"
    assert adapter_of(settings, "base", gguf) is None
    first = publish_adapter(models, "1")
    assert adapter_of(settings, "starter", gguf) == first
    publish_adapter(models, "2", promote=False)
    assert adapter_of(settings, "starter", gguf) == first, "a candidate is not live"
    assert adapter_of(settings, str(models / "starter" / "2"), gguf) == models / "starter" / "2"
    hosted = manifest("cloud", "1", kind="openai", base=ManifestBase(id="ft:1", endpoint="http://x"))
    publish(models, hosted, {})
    for name, holds in (("cloud", "kind openai"), ("none", "no live model"), ("../x", "no live model")):
        with pytest.raises(ArtifactError, match=holds):
            adapter_of(settings, name, gguf)
