"""The checkpoints of a run: which is the newest that is whole. A power cut tears the one being written.

It knows files, not what is in them: torch's are ZIP archives with checksums, safetensors says its own length.
"""

from __future__ import annotations

import json
import re
import shutil
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

NAME = re.compile(r"checkpoint-(\d+)")
STATE = "trainer_state.json"
"""What is written last."""


def newest(folder: Path, tell: Callable[[str], object], processes: int = 1) -> str | None:
    """The newest whole checkpoint in the folder, None where there is none; torn ones are told and removed."""
    found = [each for each in folder.glob("checkpoint-*") if NAME.fullmatch(each.name)]
    for each in sorted(found, key=lambda path: -int(path.name.partition("-")[2])):
        if reason := fault(each, processes):
            tell(f"{each.name} is left out, it was not written whole: {reason}")
            shutil.rmtree(each)
        else:
            return str(each)
    return None


def fault(checkpoint: Path, processes: int = 1) -> str:
    """Why a checkpoint cannot be gone on from; "" where it can. Of several processes each writes a part."""
    parts = (f"rng_state_{number}.pth" for number in range(processes) if processes > 1)
    for name in (STATE, *parts):
        if not (checkpoint / name).is_file():
            return f"{name} is missing"
    for path in sorted(checkpoint.iterdir()):
        try:
            if path.suffix == ".json":
                json.loads(path.read_bytes())
            elif path.suffix in {".pt", ".pth"}:
                with zipfile.ZipFile(path) as archive:
                    if torn := archive.testzip():
                        return f"{path.name}: {torn} is torn"
            elif path.suffix == ".safetensors":
                _check_tensors(path)
        except (ValueError, OSError, zipfile.BadZipFile, struct.error) as error:
            return f"{path.name}: {error}"
    return ""


def _check_tensors(path: Path) -> None:
    with path.open("rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
    ends = [each["data_offsets"][1] for name, each in header.items() if name != "__metadata__"]
    if path.stat().st_size != 8 + length + max(ends, default=0):
        raise ValueError("is cut off")
