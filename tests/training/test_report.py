"""The report: one page that needs nothing from anywhere, that a phone can show, and documents without typed figures."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from typer.testing import CliRunner

from bot.student.records.reading import DataError
from tests.fakes import evaluation
from tests.fakes.students import DATA
from training.__main__ import app
from training.evaluate import documents, page, plots, report, written
from training.evaluate.metrics import METRICS

DOCS = Path(__file__).parents[2] / "docs"
BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = evaluation.write(
        tmp_path_factory.mktemp("runs") / "one", evaluation.rows(dialogues=10, clusters=12)
    )
    return report.assemble(
        written.read(folder),
        data=DATA,
        turns=10_000,
        machine_hour=0.1,
        draws=20,
        people={
            "ratings": [{"model": "base", "ratings": 2, "raters": 1, "means": {"engagement": 3.5}}],
            "blind": [
                {
                    "ours": "starter",
                    "theirs": "golden",
                    "share": 0.4,
                    "value": 0.4,
                    "low": 0.3,
                    "high": 0.5,
                    "choices": 50,
                    "decided": 45,
                    "raters": 2,
                    "alpha": 0.71,
                    "judged_twice": 25,
                    "judges": [
                        {
                            "judge": "critic",
                            "pairs": 30,
                            "steady": 0.8,
                            "share": 0.6,
                            "value": 0.6,
                            "low": 0.4,
                            "high": 0.8,
                            "alpha": 0.41,
                            "shared": 25,
                        }
                    ],
                }
            ],
        },
    )


@pytest.fixture(scope="module")
def pictures(made: dict[str, Any]) -> dict[str, tuple[bytes, str]]:
    pytest.importorskip("matplotlib", reason="pictures need the extra train")
    return plots.draw(made)


@pytest.fixture(scope="module")
def html(made: dict[str, Any], pictures: dict[str, tuple[bytes, str]]) -> str:
    return page.render(made, pictures)


class Tags(HTMLParser):
    """Every tag with its attributes, and the open ones that were not closed as they should."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.wrong: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in {"meta", "link", "img"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)


def test_the_page_is_whole_and_asks_nobody_for_anything(html: str) -> None:
    tags = Tags(html)
    assert not tags.wrong
    assert not tags.open
    outside = [
        value
        for tag, attributes in tags.found
        for name, value in attributes.items()
        if name in {"src", "href", "srcset", "action", "data"} and not (value or "").startswith("data:")
    ]
    assert not outside
    assert "url(" not in html
    assert "@import" not in html
    assert not [tag for tag, _ in tags.found if tag in {"script", "iframe", "object"}]


def test_headings_go_down_step_by_step_and_pictures_say_what_they_show(html: str) -> None:
    tags = Tags(html)
    levels = [int(tag[1]) for tag, _ in tags.found if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    images = [attributes for tag, attributes in tags.found if tag == "img"]
    assert len(images) == len(page.TITLES) == 6
    assert all(len(each["alt"] or "") > 30 for each in images)
    tables = sum(tag == "table" for tag, _ in tags.found)
    assert tables == sum(tag == "caption" for tag, _ in tags.found) > 5
    assert dict(tags.found)["html"] == {"lang": "en"}


def test_what_models_say_is_text_and_nothing_else(html: str, made: dict[str, Any]) -> None:
    said = [turn["text"] for each in made["transcripts"] for turns in each["said"].values() for turn in turns]
    assert any(evaluation.NASTY in text for text in said), "the run must hold something nasty"
    assert "&lt;script&gt;alert(&#x27;x&#x27;)&lt;/script&gt;" in html
    assert "<script" not in html


def test_the_report_says_what_the_rows_say(made: dict[str, Any]) -> None:
    assert [each["name"] for each in made["models"]] == ["base", "starter"]
    assert {each["name"] for each in made["controls"]} == {"golden", "adult"}
    assert report.winner(made, "teachable") == "starter"
    base, starter = made["models"]
    assert starter["figures"]["arms.none"]["value"] > base["figures"]["arms.none"]["value"]
    assert starter["cost"]["training"] is None, "trained, but no manifest says for how much"
    separated = {each["id"]: each["separates"] for each in made["metrics"]}
    assert separated["arms.none"] is True
    assert separated["drift.name"] is None
    assert json.loads(json.dumps(made)) == made
    assert sum(made["models"][0]["words"]["counts"]) == base["words"]["turns"]
    assert made["corpus"]["dialogues"] > made["corpus"]["golden"] > 0


def test_one_model_alone_is_reported_too(tmp_path: Path) -> None:
    rows = [
        row
        for row in evaluation.rows(dialogues=3, clusters=3)
        if row.model == "base" and row.section == "arms"
    ]
    folder = evaluation.write(tmp_path / "one", rows)
    alone = report.assemble(
        written.read(folder),
        data=DATA,
        turns=1,
        draws=5,
    )
    pytest.importorskip("matplotlib", reason="pictures need the extra train")
    assert "One model" in page.render(alone, plots.draw(alone))
    assert "nothing to compare it with" in documents.fill(alone)["report.md"]
    controls = [row for row in evaluation.rows(dialogues=1, clusters=1) if row.kind == "control"]
    with pytest.raises(DataError, match="controls only"):
        report.assemble(
            written.read(evaluation.write(tmp_path / "two", controls)),
            data=DATA,
            turns=1,
        )


def test_no_figure_of_a_document_is_typed_by_hand(made: dict[str, Any], tmp_path: Path) -> None:
    before = documents.fill(made)
    assert all("$" not in re.sub(r"\$\d", "", text) for text in before.values())
    other = json.loads(json.dumps(made))
    other["models"][1]["figures"]["teachable"]["value"] = 0.1234
    other["corpus"]["student_turns"] = 123_456
    after = documents.fill(other)
    for name in documents.NAMES:
        assert "0.12 (" in after[name]
        assert "123,456" in after[name]
        assert "0.12 (" not in before[name]
    assert (
        "critic, a language model, on the same pairs: 60 % (40 to 80) of its choices" in before["report.md"]
    )
    report.write(made, tmp_path / "report.json")
    assert {path.read_text() for path in documents.write(tmp_path)} == set(before.values())


def test_words_of_a_model_cannot_break_a_table(made: dict[str, Any]) -> None:
    other = json.loads(json.dumps(made))
    turn = next(iter(other["transcripts"][0]["said"].values()))[0]
    turn["text"] = "a | b\n# c <b> *d* `e`"
    slides = documents.fill(other)["slides.md"]
    assert "| a \\| b # c \\<b\\> \\*d\\* \\`e\\` |" in slides


def test_the_committed_documents_are_what_the_report_gives() -> None:
    if not (DOCS / "report.json").is_file():
        assert not (DOCS / "report.md").exists(), "docs/report.md needs docs/report.json beside it"
        pytest.skip("docs/report.json is not there yet")
    for name, text in documents.fill(report.read(DOCS / "report.json")).items():
        assert (DOCS / name).read_text(encoding="utf-8") == text, "python -m training compare --documents"


def test_every_metric_has_its_paragraph_and_no_other_has() -> None:
    text = (DOCS / "evaluation.md").read_text(encoding="utf-8")
    described = re.findall(r"\*\*`([a-z0-9_.]+)`\*\*", text)
    assert sorted(described) == sorted(each.id for each in METRICS)


def test_the_command_writes_page_figures_and_pictures(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="pictures need the extra train")
    data = tmp_path / "data"
    data.mkdir()
    for name in ("children", "lessons", "dialogues", "reference"):
        (data / name).symlink_to(DATA / name)
    evaluation.write(data / "runs" / "one", evaluation.rows(dialogues=3, clusters=3))
    config = tmp_path / "config.toml"
    config.write_text('data = "data"\ndatabase = "none.db"\n')
    done = CliRunner().invoke(app, ["compare", "--config", str(config), "--turns", "500"])
    assert done.exit_code == 0, done.output
    folder = data / "runs" / "one"
    assert {path.name for path in folder.iterdir()} >= {"report.html", "report.json", *page.TITLES}
    assert report.read(folder / "report.json")["turns"] == 500
    assert not (tmp_path / "none.db").exists(), "asking must not make a database"
    assert "starter minus base, teachable" in done.output


# In a real browser.


@pytest.fixture
def browser() -> Iterator[int]:
    """The port of a Chromium's DevTools; it has a profile of its own and ends with the test."""
    if BROWSER is None:
        pytest.skip(
            "no chromium here: the page is not opened in a browser (Debian: apt-get install chromium)"
        )
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        process = subprocess.Popen(
            [
                BROWSER,
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-dev-shm-usage",
                "--remote-debugging-port=0",
                "--remote-allow-origins=*",
                f"--user-data-dir={profile}",
                "about:blank",
            ],
            stderr=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )
        try:
            yield asyncio.run(_port(Path(profile) / "DevToolsActivePort"))
        finally:
            process.kill()
            process.wait()


async def _port(file: Path) -> int:
    async with asyncio.timeout(60):
        while not (file.is_file() and file.read_text().count("\n")):
            await asyncio.sleep(0.1)
    return int(file.read_text().split("\n")[0])


async def _looked_at(port: int, url: str, width: int) -> tuple[dict[str, Any], list[str]]:
    """What the page says of itself at that width, and every complaint in its console."""
    look = """(() => ({
        images: [...document.images].map(each => each.complete && each.naturalWidth),
        scroll: document.documentElement.scrollWidth, seen: document.documentElement.clientWidth,
        wide: [...document.querySelectorAll('body *')].filter(each => !each.closest('.wide')
            && each.getBoundingClientRect().right > innerWidth + 1).map(each => each.outerHTML.slice(0, 80)),
        requests: performance.getEntriesByType('resource').filter(each => !each.name.startsWith('data:')).length,
    }))()"""
    complaints: list[str] = []
    async with aiohttp.ClientSession() as session:
        async with session.get(f"http://127.0.0.1:{port}/json/list") as answer:
            target = next(each for each in await answer.json() if each["type"] == "page")
        async with (
            asyncio.timeout(60),
            session.ws_connect(target["webSocketDebuggerUrl"], max_msg_size=0) as line,
        ):
            loaded = asyncio.Event()
            answers: dict[int, asyncio.Future[dict[str, Any]]] = {}

            async def listen() -> None:
                async for message in line:
                    found = message.json()
                    if "id" in found:
                        answers[found["id"]].set_result(found)
                    elif found["method"] == "Page.loadEventFired":
                        loaded.set()
                    elif found["method"] in {
                        "Runtime.exceptionThrown",
                        "Log.entryAdded",
                        "Runtime.consoleAPICalled",
                    }:
                        complaints.append(json.dumps(found["params"]))

            async def ask(method: str, **parameters: Any) -> dict[str, Any]:
                number = len(answers) + 1
                answers[number] = asyncio.get_running_loop().create_future()
                await line.send_json({"id": number, "method": method, "params": parameters})
                answer: dict[str, Any] = (await answers[number])["result"]
                return answer

            listening = asyncio.create_task(listen())
            for domain in ("Page", "Runtime", "Log"):
                await ask(f"{domain}.enable")
            await ask(
                "Emulation.setDeviceMetricsOverride",
                width=width,
                height=800,
                deviceScaleFactor=1,
                mobile=width < 500,
            )
            await ask("Page.navigate", url=url)
            await loaded.wait()
            result = await ask("Runtime.evaluate", expression=look, returnByValue=True)
            listening.cancel()
    value: dict[str, Any] = result["result"]["value"]
    return value, complaints


@pytest.mark.parametrize("width", [375, 1280])
def test_a_browser_shows_every_picture_and_nothing_sticks_out(
    browser: int, html: str, tmp_path: Path, width: int
) -> None:
    file = tmp_path / "report.html"
    file.write_text(html, encoding="utf-8")
    found, complaints = asyncio.run(_looked_at(browser, file.as_uri(), width))
    assert not complaints
    assert len(found["images"]) == 6
    assert all(found["images"])
    assert found["scroll"] <= found["seen"] <= width
    assert not found["wide"]
    assert found["requests"] == 0


def test_the_look_finds_what_is_broken(browser: int, html: str, tmp_path: Path) -> None:
    broken = html.replace(".wide{overflow-x:auto;", ".wide{")
    broken = re.sub(r'src="data:image/png;base64,.{40}', 'src="data:image/png;base64,', broken, count=1)
    file = tmp_path / "report.html"
    file.write_text(
        broken.replace("</main>", "<script>console.error('no')</script></main>"), encoding="utf-8"
    )
    found, complaints = asyncio.run(_looked_at(browser, file.as_uri(), 375))
    assert len(complaints) == 1
    assert not all(found["images"])
    assert found["scroll"] > 375
