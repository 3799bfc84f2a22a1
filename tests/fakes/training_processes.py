"""Several processes of one training run, with the environment that `accelerate launch` gives them: forked from a program
that has torch loaded, which takes longer than these runs. As accelerate's agent does, it ends all when one fails.

Run: python -m tests.fakes.training_processes FOLDER. What became of each run is printed as one line of JSON. It needs
the extra train, and fork.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gguf
import matplotlib.backends.backend_agg
import matplotlib.figure
import torch
from tokenizers import Tokenizer, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from bot.student.lessons import read_lessons
from bot.student.records.child import read_children
from bot.student.records.dialogue import Dialogue, Role, Thought, ThoughtKind, Turn
from training.methods import lora, lora_base, lora_preferences, lora_settings
from training.methods.checkpoints import fault
from training.methods.lora_settings import Result
from training.methods.lora_trainer import LeanTrainer
from training.methods.preferences import Pair
from training.methods.rendering import conversations

DATA = Path(__file__).parents[2] / "data"
LESSON = "2.NBT.B.5-subtract"
CHILDREN, LESSONS = read_children(DATA / "children"), read_lessons(DATA / "lessons")
TWO = 2
LOADED = (gguf, matplotlib.backends.backend_agg, matplotlib.figure)
"""What each run would load by itself at its end."""

Train = Callable[[Path, bool, Callable[[str], object]], Result]


def dialogue(identifier: str, exchanges: int) -> Dialogue:
    """A dialogue of sums."""
    turns: list[Turn] = []
    for number in range(exchanges):
        answer = str(number + len(identifier) + 10)
        turns.append(Turn(Role.TEACHER, f"What is {number + len(identifier)} plus 10 ?"))
        turns.append(
            Turn(
                Role.STUDENT, f"It's {answer} .", thought=Thought(ThoughtKind.ANSWER, answer=answer, words=2)
            )
        )
    return Dialogue(identifier, tuple(turns), child="mia", lesson=LESSON)


def material() -> lora_settings.Data:
    """Four dialogues to train, two to validate."""
    train = [dialogue("a" * (1 + number), 2) for number in range(4)]
    return lora_settings.Data(train, [dialogue("v", 1), dialogue("vv", 1)], CHILDREN, LESSONS)


def pairs() -> dict[str, list[Pair]]:
    """Four pairs to train, two to validate."""
    found = []
    for number in range(6):
        said = dialogue("p" * (number + 1), 1).turns
        found.append(
            Pair(
                f"p{number}-1",
                f"p{number}",
                "mia",
                LESSON,
                said[:1],
                said[1].thought,
                said[1].content,
                "A cat .",
            )
        )
    return {"train": found[:4], "validation": found[4:]}


def write_tiny(folder: Path) -> Path:
    """A folder as of Hugging Face: a random Llama whose tokens are whole words; returns the folder."""
    data = material()
    found = [*conversations(data.dialogues, CHILDREN, LESSONS)]
    words = Tokenizer(models.WordLevel(unk_token="<unk>"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    special = ["<unk>", "<|im_start|>", "<|im_end|>"]
    texts = (message.content for each in found for message in each.messages)
    words.train_from_iterator(texts, trainers.WordLevelTrainer(special_tokens=special, show_progress=False))
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=words, unk_token=special[0], eos_token=special[2], pad_token=special[2],
        chat_template=lora_base.CHATML,
    )  # fmt: skip
    tokenizer.save_pretrained(folder)
    torch.manual_seed(0)
    config = LlamaConfig(
        hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2,
        vocab_size=len(tokenizer), tie_word_embeddings=True, eos_token_id=2, pad_token_id=2,
    )  # fmt: skip
    LlamaForCausalLM(config).save_pretrained(folder)
    return folder


def together(
    count: int, train: Train, folder: Path, *, resume: bool = False, dies: bool = False
) -> dict[str, Any]:
    """Run `train` in so many processes; their results and exit statuses. With `dies` the last one is killed as soon as
    the first checkpoint is written."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    began = {}
    for rank in range(count):
        if (pid := os.fork()) == 0:
            if count > 1:
                os.environ |= {
                    "RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": str(count), "LOCAL_WORLD_SIZE": str(count),
                    "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port),
                }  # fmt: skip
            _work(rank, train, folder, resume=resume, dies=dies and rank == count - 1)
        began[pid] = rank
    ended: dict[int, int] = {}
    while len(ended) < count:
        pid, status = os.wait()
        ended[began[pid]] = os.waitstatus_to_exitcode(status)
        for other, rank in began.items() if status else ():
            if rank not in ended:
                os.kill(other, signal.SIGTERM)
    told = [json.loads(path.read_text()) for path in sorted(folder.glob("told-*.json"))]
    for path in folder.glob("told-*.json"):
        path.unlink()
    return {"ended": [ended[rank] for rank in range(count)], "told": told}


def _work(rank: int, train: Train, folder: Path, *, resume: bool, dies: bool) -> None:
    """What one process does; it never returns."""
    folder.mkdir(exist_ok=True)
    log = os.open(folder / f"log-{rank}.txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(log, 1)
    os.dup2(log, 2)
    if dies:
        for kind in (LeanTrainer, lora_preferences.LeanPreferences):
            kind._save_checkpoint = _killed_behind(kind._save_checkpoint)
    said: list[str] = []
    status = 1
    try:
        result = train(folder, resume, said.append)
        written = result.to_json() | {"said": said}
        (folder / f"told-{rank}.json").write_text(json.dumps(written))
        status = 0
    finally:
        if status:
            traceback.print_exc()
        os._exit(status)


PATIENCE = 30.0


def _killed_behind(save: Callable[..., None]) -> Callable[..., None]:
    def saved(*arguments: Any) -> None:
        save(*arguments)
        # The first process may be at its part still, and would be ended in the middle of it.
        folder, last = Path(arguments[0].args.output_dir), time.monotonic() + PATIENCE
        while all(fault(each, 2) for each in folder.glob("checkpoint-*")) and time.monotonic() < last:
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGKILL)

    return saved


def main(folder: Path) -> None:
    """An adapter in two processes, whole, cut, and gone on with; then preferences that go on from it, likewise cut."""
    base = str(write_tiny(folder / "tiny"))
    data, pair = material(), pairs()
    settings = lora_settings.Settings(base=base, precision="float32", epochs=2, learning_rate=1e-2, batch=2)
    better, other = ([each.as_dialogue() for each in pair[name]] for name in ("train", "validation"))
    preferred = lora_settings.Data(better, other, CHILDREN, LESSONS)

    def adapter(run: Path, resume: bool, tell: Callable[[str], object]) -> Result:
        return lora.train(settings, data, run, tell, resume=resume)

    def preferences(run: Path, resume: bool, tell: Callable[[str], object]) -> Result:
        start = folder / "adapter" / lora_settings.ADAPTER
        return lora_preferences.train(settings, pair, preferred, start, run, tell, resume=resume)

    def show(name: str, found: dict[str, Any]) -> None:
        print(json.dumps({"run": name, **found}), flush=True)  # noqa: T201 - what it is run for

    lora.SAMPLE_TOKENS, lora.CHECKED_PROMPTS = 3, 1
    show("adapter", together(TWO, adapter, folder / "adapter"))
    for name, train in (("adapter", adapter), ("preferences", preferences)):
        show(f"{name} cut", together(TWO, train, folder / f"{name}-cut", dies=True))
        show(f"{name} resumed", together(TWO, train, folder / f"{name}-cut", resume=True))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
