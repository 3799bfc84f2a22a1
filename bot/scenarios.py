"""The scenarios that can be practised here: the shipped ones, and an instructor's own from `[scenarios] folder`.

Read once, and each tried: a child that cannot begin one is found before a teacher meets it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from bot.student.believing import beginning
from bot.student.records.child import Child
from bot.student.records.curriculum import Curriculum
from bot.student.records.reading import DataError
from bot.student.records.scenario import Scenario, read_scenarios


def read(
    data: Path, own: Path | None, children: Mapping[str, Child], curriculum: Curriculum
) -> dict[str, Scenario]:
    """Every scenario by id, in the order of the ids; an own one takes the place of a shipped one of that id.

    Raise `DataError` naming file and key.
    """
    if own is not None and not own.is_dir():
        raise DataError(
            f"scenarios.folder: no folder {str(own)!r}; expected one with files such as my-own.toml"
        )
    found: dict[str, Scenario] = {}
    for folder in filter(None, (data / "scenarios", own)):
        for scenario in read_scenarios(folder, children, curriculum.lessons).values():
            _try(scenario, folder, children, curriculum)
            found[scenario.id] = scenario
    return dict(sorted(found.items()))


def _try(scenario: Scenario, folder: Path, children: Mapping[str, Child], curriculum: Curriculum) -> None:
    try:
        for child in scenario.children:
            own = scenario.of(child)
            beginning.begin(own, beginning.scene(own, children[child], curriculum))
    except DataError as error:
        raise DataError(f"{folder.name}/{scenario.id}.toml: {error}") from None
