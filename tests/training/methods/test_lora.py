"""Local training: what is learnt, that a run can be gone on with, and that llama.cpp says what PEFT says.

The model that is trained is a tiny random one; the real weights are loaded where their template, tokens and rows
are what is tested.
"""

# ruff: noqa: E402 - what may not be installed is imported after the question whether it is

from __future__ import annotations

import asyncio
import gc
import json
import os
import secrets
import urllib.request
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="local training needs the extra train")
pytest.importorskip("trl")

import xllamacpp
from datasets import Dataset
from peft import LoraConfig, get_peft_model
from trl import DPOTrainer, SFTConfig, SFTTrainer
from typer.testing import CliRunner

from bot.models import artifact, catalogue
from bot.models.engines.base import Sampling
from bot.models.engines.llama_cpp import LlamaCppEngine
from bot.models.engines.weights import embedded_gguf
from bot.models.lora import check as check_adapter
from bot.student.lessons import read_lessons
from bot.student.records.child import read_children
from bot.student.records.dialogue import Dialogue, Role, Thought, ThoughtKind, Turn
from bot.student.records.reading import DataError
from bot.student.voicing.prompt import OPENING, ChatMessage
from tests.fakes.students import ScriptedModel
from tests.fakes.tiny_llama import write_tiny_llama
from training.__main__ import app
from training.methods import (
    lora,
    lora_attention,
    lora_base,
    lora_preferences,
    lora_publish,
    lora_settings,
    preferences,
)
from training.methods.gguf_adapter import Agreement, ConversionError, Shape, compare, convert
from training.methods.lora_base import NOT_TRAINED, Base
from training.methods.lora_trainer import LeanTrainer, shared_start
from training.methods.preferences import Pair
from training.methods.rendering import conversations

DATA = Path(__file__).parents[3] / "data"
CHILDREN = read_children(DATA / "children")
LESSONS = read_lessons(DATA / "lessons")
# PEFT asks transformers for a name of before.
pytestmark = pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")
# Two threads that wait for each other take longer on little work than one.
torch.set_num_threads(1)
REAL = Shape(layers=30, heads=9, key_value_heads=3)


def dialogue(identifier: str, exchanges: int = 3) -> Dialogue:
    turns: list[Turn] = []
    for number in range(exchanges):
        turns.append(Turn(Role.TEACHER, f"What is {number + len(identifier)} plus 10?"))
        answer = str(number + len(identifier) + 10)
        thought = Thought(ThoughtKind.ANSWER, answer=answer, words=2)
        turns.append(Turn(Role.STUDENT, f"It's {answer}.", thought=thought))
    return Dialogue(identifier, tuple(turns), child="mia", lesson="2.NBT.B.5-subtract")


def data(count: int = 6) -> lora_settings.Data:
    train = [dialogue("a" * (1 + number), 2 + number % 3) for number in range(count)]
    return lora_settings.Data(train, [dialogue("v", 3)], CHILDREN, LESSONS)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as of Hugging Face: a random Llama with the embedded model's tokenizer."""
    return write_tiny_llama(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="module")
def real() -> Base:
    """The embedded model as it is trained and compared: plain weights at full precision."""
    return lora_base.load(embedded_gguf(), "float32")


@pytest.fixture
def base(tiny: Path) -> Base:
    return lora_base.load(tiny, "float32")


def settings(tiny: Path, **more: Any) -> lora_settings.Settings:
    chosen = {"base": str(tiny), "precision": "float32", "epochs": 2, "learning_rate": 2e-2, "batch": 4}
    return lora_settings.Settings(**{**chosen, **more})


# What is learnt.


def test_only_the_childs_words_and_their_end_are_learnt(base: Base) -> None:
    for conversation in conversations([dialogue("aa")], CHILDREN, LESSONS):
        found = lora_base.encode(base, conversation)
        learnt = base.tokenizer.decode([label for label in found["labels"] if label != NOT_TRAINED])
        wanted = "".join(
            f"{conversation.messages[place].content}<|im_end|>" for place in conversation.trained
        )
        assert learnt == wanted
        assert all(
            label in {NOT_TRAINED, token}
            for token, label in zip(found["input_ids"], found["labels"], strict=True)
        )


@pytest.fixture(autouse=True)
def _short_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lora, "SAMPLE_TOKENS", 3)


class Loopback:
    """llama.cpp's own HTTP endpoints for templates and tokens."""

    def __init__(self) -> None:
        self._key = secrets.token_hex(8)
        params = xllamacpp.CommonParams()
        params.model.path = str(embedded_gguf())
        params.n_ctx = 256
        params.cpuparams.n_threads = 1
        params.verbosity = -1
        params.api_keys = [self._key]
        self._server = xllamacpp.Server(params)

    def ask(self, path: str, body: dict[str, Any]) -> Any:
        request = urllib.request.Request(  # noqa: S310 - our own address
            f"{self._server.listening_address}{path}",
            json.dumps(body).encode(),
            {"Authorization": f"Bearer {self._key}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
            return json.load(answer)


@pytest.fixture(scope="module")
def loopback() -> Iterator[Loopback]:
    server = Loopback()
    yield server
    del server
    gc.collect()


def test_training_reads_token_by_token_what_llama_cpp_reads(real: Base, loopback: Loopback) -> None:
    odd = replace(dialogue("bb"), turns=(*dialogue("bb").turns, Turn(Role.TEACHER, "It's 5:30,  not 1,204!")))
    odd = odd.with_turns(
        Turn(
            Role.STUDENT,
            "no  12\n 3 u\u2019re   \u00bd",
            thought=Thought(ThoughtKind.ASK, reason="why  7", words=9),
        )
    )
    for conversation in conversations([odd], CHILDREN, LESSONS):
        messages = [asdict(message) for message in conversation.messages]
        theirs = loopback.ask("/apply-template", {"messages": messages[:-1]})["prompt"]
        prompt = real.tokenizer.apply_chat_template(
            messages[:-1], chat_template=real.template, tokenize=False, add_generation_prompt=True
        )
        assert prompt == theirs
        whole = f"{theirs}{messages[-1]['content']}<|im_end|>\n"
        tokens = loopback.ask("/tokenize", {"content": whole, "parse_special": True})["tokens"]
        assert lora_base.encode(real, conversation)["input_ids"] == tokens


def test_a_template_that_marks_no_answers_is_refused(base: Base) -> None:
    base.tokenizer.chat_template = "{% for message in messages %}{{ message['content'] }}{% endfor %}"
    with pytest.raises(lora_base.BaseError, match="chat template"):
        lora_base.training_template(base.tokenizer)


# The trainer.


def test_what_a_batch_shares_ends_before_the_first_label() -> None:
    ids = torch.tensor([[1, 2, 3, 4, 5], [1, 2, 3, 9, 5]])
    nothing = torch.full_like(ids, NOT_TRAINED)
    assert shared_start(ids, nothing) == 2
    labels = nothing.clone()
    labels[:, 2] = ids[:, 2]
    assert shared_start(ids, labels) == 1
    assert shared_start(ids[:1], nothing[:1]) == 0


def _trainer(kind: type[SFTTrainer], base: Base, rows: Dataset, folder: Path) -> Any:
    torch.manual_seed(1)
    model = get_peft_model(base.model, LoraConfig(r=4, target_modules="all-linear", init_lora_weights=False))
    args = SFTConfig(
        output_dir=str(folder), use_cpu=True, bf16=False, max_length=None, activation_checkpointing=False,
        report_to="none", per_device_train_batch_size=4,
    )  # fmt: skip
    return kind(model=model, args=args, train_dataset=rows, processing_class=base.tokenizer)


@pytest.mark.parametrize("attention", [lora_attention.NAME, "sdpa"])
def test_loss_and_gradients_are_those_of_trl(attention: str, tiny: Path, tmp_path: Path) -> None:
    """Packed with our own attention, padded with torch's, as on a GPU."""
    found: list[tuple[float, dict[str, Any]]] = []
    for kind in (SFTTrainer, LeanTrainer):
        base = lora_base.load(tiny, "float32")
        base.model.set_attn_implementation(attention)
        assert lora_attention.packs(base.model) == (attention == lora_attention.NAME)
        rows = [lora_base.encode(base, each) for each in conversations(data(2).train, CHILDREN, LESSONS)]
        assert len({len(row["input_ids"]) for row in rows}) > 1
        trainer = _trainer(kind, base, Dataset.from_list(rows), tmp_path)
        batch = next(iter(trainer.get_train_dataloader()))
        assert shared_start(batch["input_ids"], batch["labels"]) > 200
        trainer.model.eval()  # without dropout
        loss = trainer.compute_loss(trainer.model, batch, num_items_in_batch=torch.tensor(40))
        loss.backward()
        gradients = {
            name: each.grad.clone()
            for name, each in trainer.model.named_parameters()
            if each.grad is not None
        }
        found.append((loss.item(), gradients))
    (their_loss, theirs), (our_loss, ours) = found
    assert our_loss == pytest.approx(their_loss, rel=1e-4)
    assert theirs.keys() == ours.keys()
    assert len(theirs) == 2 * 2 * 7
    for name, gradient in theirs.items():
        assert torch.allclose(ours[name], gradient, rtol=1e-3, atol=1e-6), name


# A run.


def test_a_run_learns_and_writes_everything_down(tiny: Path, tmp_path: Path) -> None:
    said: list[str] = []
    result = lora.train(settings(tiny), data(), tmp_path / "run", said.append)
    assert result.validation_loss < result.base_loss - 0.05
    assert result.agreement is None
    written = json.loads((tmp_path / "run" / "settings.json").read_text())
    assert written["preset"] == "seed"
    assert written["data"]["train"]["dialogues"] == 6
    assert 0 < written["data"]["train"]["learnt_tokens"] < written["data"]["train"]["tokens"] / 5
    assert result.tokens == 2 * written["data"]["train"]["tokens"]
    log = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    assert [row["epoch"] for row in log if "eval_loss" in row] == [0, 1, 2]
    samples = [json.loads(line) for line in (tmp_path / "run" / "samples.jsonl").read_text().splitlines()]
    asked = [[row["teacher"] for row in samples if row["epoch"] == epoch] for epoch in (0, 1, 2)]
    assert asked[0] == asked[1] == asked[2] != []
    assert (tmp_path / "run" / "losses.png").read_bytes().startswith(b"\x89PNG")
    assert sorted(path.name for path in result.adapter.iterdir()) == [
        "adapter.gguf",
        "adapter_config.json",
        "adapter_model.safetensors",
    ]
    config = json.loads((result.adapter / "adapter_config.json").read_text())
    assert (config["r"], config["lora_alpha"], config["lora_dropout"], config["bias"]) == (
        8,
        32,
        0.05,
        "none",
    )
    assert sorted(config["target_modules"]) == ["q_proj", "v_proj"]
    assert any("validation loss" in line for line in said)


def test_a_broken_off_run_is_gone_on_with_to_the_same_end(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = lora.train(settings(tiny), data(), tmp_path / "whole", lambda _: None)
    save = LeanTrainer._save_checkpoint

    def power_cut(self: LeanTrainer, *arguments: Any) -> None:
        save(self, *arguments)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(LeanTrainer, "_save_checkpoint", power_cut)
        with pytest.raises(KeyboardInterrupt):
            lora.train(settings(tiny), data(), tmp_path / "cut", lambda _: None)
    assert not (tmp_path / "cut" / "adapter").exists()
    resumed = lora.train(settings(tiny), data(), tmp_path / "cut", lambda _: None, resume=True)
    assert resumed.validation_loss == pytest.approx(whole.validation_loss, rel=1e-4)
    assert resumed.tokens < whole.tokens


@pytest.mark.parametrize("torn", ["optimizer.pt", "adapter_model.safetensors", "trainer_state.json", None])
def test_a_checkpoint_that_a_power_cut_tore_is_left_out(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, torn: str | None
) -> None:
    save = LeanTrainer._save_checkpoint
    saved = []

    def power_cut(self: LeanTrainer, *arguments: Any) -> None:
        save(self, *arguments)
        saved.append(self.state.global_step)
        if len(saved) == 2:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(LeanTrainer, "_save_checkpoint", power_cut)
        with pytest.raises(KeyboardInterrupt):
            lora.train(settings(tiny), data(), tmp_path, lambda _: None)
    newest = tmp_path / "checkpoints" / f"checkpoint-{saved[1]}"
    if torn is None:
        (newest / "trainer_state.json").unlink()
    else:
        os.truncate(newest / torn, (newest / torn).stat().st_size // 2)
    said: list[str] = []
    resumed = lora.train(settings(tiny), data(), tmp_path, said.append, resume=True)
    assert resumed.epochs == settings(tiny).epochs
    told = [line for line in said if "not written whole" in line]
    assert [line.partition(" ")[0] for line in told] == [newest.name]
    assert (torn or "trainer_state.json") in told[0]


def test_torn_settings_are_one_line(tiny: Path, tmp_path: Path) -> None:
    (tmp_path / "settings.json").write_text('{"seed": 8, "da')
    with pytest.raises(DataError, match=r"settings\.json: not JSON"):
        lora.train(settings(tiny), data(), tmp_path, lambda _: None, resume=True)


def test_a_run_is_not_gone_on_with_under_other_settings(tiny: Path, tmp_path: Path) -> None:
    (tmp_path / "settings.json").write_text(
        json.dumps({**settings(tiny).model_dump(), "seed": 8, "data": {}})
    )
    with pytest.raises(DataError, match="has changed"):
        lora.train(settings(tiny), data(), tmp_path, lambda _: None, resume=True)


def test_dialogues_without_thoughts_cannot_be_trained(tiny: Path, tmp_path: Path) -> None:
    bare = tuple(replace(turn, thought=None) for turn in dialogue("c").turns)
    nothing = lora_settings.Data([replace(dialogue("c"), turns=bare)], [dialogue("v")], CHILDREN, LESSONS)
    with pytest.raises(DataError, match="train: no dialogue can be trained"):
        lora.train(settings(tiny), nothing, tmp_path / "run", lambda _: None)


# llama.cpp.


def _random_adapter(real: Base, folder: Path, **config: Any) -> Any:
    torch.manual_seed(3)
    model = get_peft_model(
        real.model,
        LoraConfig(r=4, lora_alpha=8, target_modules="all-linear", task_type="CAUSAL_LM", **config),
    )
    for name, weights in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weights, std=0.02)
    # What is compared is what is published: 16-bit numbers.
    for name, weights in model.named_parameters():
        if "lora_" in name:
            weights.data = weights.data.half().float()
    model.save_pretrained(folder, save_embedding_layers=False)
    return model


def test_llama_cpp_says_with_the_converted_adapter_what_peft_says(real: Base, tmp_path: Path) -> None:
    model = _random_adapter(real, tmp_path)
    try:
        prompts = [
            (ChatMessage("system", "You are seven."), ChatMessage("user", question))
            for question in ("What is the capital of France?", "Count to five.", "Who are you?")
        ]
        said = lora_base.greedy(real, model, prompts, tokens=6)
        with model.disable_adapter():
            bare = lora_base.greedy(real, model, prompts, tokens=6)
    finally:
        model.unload()
    assert said != bare, "the adapter must change something for this to show anything"
    adapter = convert(tmp_path, REAL)
    check_adapter(tmp_path, embedded_gguf())
    agreement = compare(embedded_gguf(), adapter, prompts, said, tokens=6)
    assert agreement.same == agreement.prompts, agreement.different


@pytest.mark.parametrize(
    ("prompts", "same", "holds"),
    [
        (16, 16, True),
        (16, 13, True),
        (16, 12, False),
        (4, 3, True),
        (4, 2, False),
        (2, 1, True),
        (1, 0, False),
    ],
)
def test_one_close_decision_does_not_reject_an_adapter(prompts: int, same: int, *, holds: bool) -> None:
    assert Agreement(prompts, same, ()).holds is holds


def test_an_adapter_that_llama_cpp_would_serve_otherwise_is_refused(tmp_path: Path) -> None:
    (tmp_path / "adapter_config.json").write_text(json.dumps({"r": 4, "lora_alpha": 8, "use_dora": True}))
    with pytest.raises(ConversionError, match="use_dora"):
        convert(tmp_path, REAL)


def test_a_run_is_published_as_the_bot_takes_it(real: Base, tmp_path: Path) -> None:
    run = tmp_path / "lora-20260101-000000-abcdef"
    model = _random_adapter(real, run / lora_settings.ADAPTER)
    model.unload()
    (run / lora_settings.ADAPTER / "README.md").unlink(missing_ok=True)
    convert(run / lora_settings.ADAPTER, REAL)
    result = lora_settings.Result(run, 12.0, 3456, 1.5, 1.25, 2.0, Agreement(16, 15, (("a", "b", "c"),)))
    folder = lora_publish.publish(
        result,
        lora_settings.Settings(base=str(embedded_gguf())),
        data(),
        embedded_gguf(),
        tmp_path / "models",
        "starter",
        promote=True,
    )
    manifest = artifact.take(folder)
    check_adapter(folder, embedded_gguf())
    assert catalogue.promotions(tmp_path / "models", "starter")[0].version == run.name
    assert manifest.evaluation["same_replies"] == {"prompts": 16, "same": 15}
    assert manifest.training.settings["base"] == embedded_gguf().name
    assert (manifest.data.generation, manifest.data.lineage) == (0, {}), "people wrote all of it"
    reply = asyncio.run(_reply(folder / "adapter.gguf"))
    assert reply


async def _reply(adapter: Path) -> str:
    engine = await LlamaCppEngine.start(embedded_gguf(), slots=1, threads=1, adapters=[adapter])
    try:
        greedy = Sampling(max_tokens=3, temperature=0.0)
        messages = [{"role": "user", "content": "Hi"}]
        return (await engine.complete(messages, greedy, adapter=adapter)).text
    finally:
        await engine.aclose()


def test_harvested_words_are_trained_but_not_written_down() -> None:
    authored = data()
    mine = [replace(each, source="harvested") for each in authored.validation]
    told = [row for _, row in lora.asked_of(replace(authored, validation=mine))]
    assert told
    assert all(row == {"dialogue": "v"} for row in told)
    assert all(row["said"] for _, row in lora.asked_of(authored))


# The command.


def _said(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["lora", *arguments])
    return result.exit_code, result.output


def test_wrong_paths_are_one_line(tmp_path: Path) -> None:
    code, said = _said("--train", str(tmp_path / "none.jsonl"))
    assert code == 2
    assert "no such file" in said


def test_the_test_set_is_never_trained_on() -> None:
    code, said = _said("--train", str(DATA / "dialogues" / "test.jsonl"))
    assert code == 2
    assert "test set" in said


def test_an_unknown_run_cannot_be_gone_on_with() -> None:
    code, said = _said("--limit", "4", "--resume", "lora-none")
    assert code == 2
    assert "no run 'lora-none'" in said


@pytest.mark.skipif(torch.cuda.is_available(), reason="here it works")
def test_8_bit_loading_says_what_it_needs(tiny: Path) -> None:
    with pytest.raises(lora_base.BaseError, match="CUDA"):
        lora_base.load(tiny, "8bit")


def test_the_opening_is_chatml_for_the_embedded_model(real: Base) -> None:
    assert real.template == lora_base.CHATML
    assert all(message.role in {"system", "user", "assistant"} for message in OPENING)


# Preferences.


def pair(number: int) -> Pair:
    said = dialogue(f"p{number}").turns
    return Pair(
        f"p{number}-1",
        f"p{number}",
        "mia",
        "2.NBT.B.5-subtract",
        said[:1],
        said[1].thought,
        "it's 12",
        "A cat.",
    )


def test_an_adapter_learns_to_prefer_the_better_lines(tiny: Path, tmp_path: Path) -> None:
    first = lora.train(settings(tiny, epochs=1), data(2), tmp_path / "first", lambda _: None)
    pairs = {"train": [pair(0), pair(1)], "validation": [pair(2)]}
    better, other = ([each.as_dialogue() for each in pairs[name]] for name in ("train", "validation"))
    told: list[str] = []
    done = lora_preferences.train(
        settings(tiny, epochs=3, learning_rate=2e-2),
        pairs,
        lora_settings.Data(better, other, CHILDREN, LESSONS),
        first.adapter,
        tmp_path / "second",
        told.append,
    )
    assert done.base_loss == pytest.approx(0.6931, abs=0.01), "before, it prefers nothing: log 2"
    assert done.validation_loss < done.base_loss
    assert told[-1] == "prefers the better line in 100% of the validation pairs"
    assert (done.adapter / "adapter.gguf").is_file()
    result = json.loads((done.folder / "result.json").read_text(encoding="utf-8"))
    assert result["prefers_the_better"][-1] == 1


def test_what_is_read_once_gives_the_loss_of_reading_it_again(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = lora.train(settings(tiny, epochs=1), data(2), tmp_path / "first", lambda _: None)
    pairs = {"train": [pair(0), pair(1)], "validation": [pair(2)]}
    other = lora_settings.Data((pair(0).as_dialogue(),), (pair(2).as_dialogue(),), CHILDREN, LESSONS)
    losses = []
    for name, kind in (("lean", lora_preferences.LeanPreferences), ("plain", DPOTrainer)):
        monkeypatch.setattr(lora_preferences, "LeanPreferences", kind)
        made = settings(tiny, epochs=2, learning_rate=5e-3)
        done = lora_preferences.train(made, pairs, other, first.adapter, tmp_path / name, lambda _: None)
        losses.append(done.validation_loss)
    assert losses[0] < 0.69
    assert losses[0] == pytest.approx(losses[1], abs=2e-3)


async def test_pairs_are_made_where_a_model_says_something_else(tmp_path: Path) -> None:
    free = Thought(ThoughtKind.ANSWER, words=4)
    turns = (
        Turn(Role.TEACHER, "What did you see?"),
        Turn(Role.STUDENT, "A big red bug.", thought=free),
        Turn(Role.TEACHER, "Where?"),
        Turn(Role.STUDENT, "Under a wet rock.", thought=free),
    )
    talk = Dialogue("talk", turns, child="mia", lesson="2.NBT.B.5-subtract")
    model = ScriptedModel()
    model.enqueue("a big red bug", "I like my cat Pickle.")
    found = await preferences.against(model, [talk], CHILDREN, LESSONS, seed=1, done=lambda: None)
    assert [(each.chosen, each.rejected) for each in found] == [
        ("Under a wet rock.", "I like my cat Pickle.")
    ]
    path = tmp_path / "pairs.jsonl"
    path.write_text("".join(each.to_line() for each in found), encoding="utf-8")
    assert preferences.read_pairs([path]) == found
    path.write_text("", encoding="utf-8")
    with pytest.raises(DataError, match="no pairs"):
        preferences.read_pairs([path])
