"""A debrief as one HTML page: all of it, turn by turn, in one file that loads nothing from anywhere.

Whatever somebody said is escaped. What is said of it is `telling`, what is counted `figures`.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from bot.debrief import telling
from bot.debrief.figures import Figures, count
from bot.debrief.moves import HEARD_AS
from bot.debrief.picture import picture
from bot.debrief.record import Debrief, Spoken, Who
from bot.debrief.talkmoves import MEANS
from bot.pages import drawing as pages
from bot.pictures.svg import svg
from bot.student.records.dialogue import Stage

_STYLE = """
:root { color-scheme: light; --ink: #1f2933; --faint: #5b6773; --line: #d5dbe1; --you: #1f5fa8; --child: #b85c00; }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 46rem; padding: 1.2rem 1rem 3rem; color: var(--ink); background: #fff;
  font: 1rem/1.55 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0.4rem 0 0.2rem; }
h2 { font-size: 1.12rem; margin: 2rem 0 0.4rem; }
.about, small { color: var(--faint); }
.try { border-left: 4px solid var(--you); padding: 0.1rem 0 0.1rem 1rem; margin: 1rem 0; }
.try h2 { margin-top: 0.5rem; }
.try blockquote { margin: 0.6rem 0; font-size: 1.15rem; }
ul { padding-left: 1.2rem; } li { margin: 0.35rem 0; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: 0.35rem 0.6rem 0.35rem 0; border-top: 1px solid var(--line); }
th { font-weight: 600; } th small { font-weight: 400; }
thead th, td { white-space: nowrap; } td:last-child { white-space: normal; width: 30%; }
figure { margin: 1rem 0; overflow-x: auto; } figure svg { display: block; width: 100%; min-width: 30rem; }
figure.table svg { width: 22rem; min-width: 0; max-width: 100%; border: 1px solid var(--line); }
figcaption { color: var(--faint); font-size: 0.9rem; }
ol { list-style: none; padding: 0; } ol li { border-top: 1px solid var(--line); margin: 0; padding: 0.6rem 0; }
.who { font-weight: 600; } .you .who { color: var(--you); } .child .who { color: var(--child); }
ol small { display: block; }
a { color: var(--you); }
@media print { figure { break-inside: avoid; } }
"""


def body(debrief: Debrief) -> str:
    """What stands inside the page, without style or script: whoever shows it elsewhere brings its own."""
    figures, drawn = count(debrief), picture(debrief)
    title = escape(telling.opening(debrief))
    parts = [
        f"<h1>{title}</h1>",
        f'<p class="about">Conversation {debrief.conversation}, {debrief.began:%Y-%m-%d}. '
        f"The aim: {escape(debrief.goal)}</p>",
        _table(debrief),
        _advice(debrief),
        _list(f"What moved {debrief.child}", _ideas(debrief) + telling.moved(debrief, telling.QUOTED_WHOLE)),
        _list("What could have", telling.left(debrief, most=telling.QUOTED_WHOLE)),
        f'<h2>Who spoke, and how firmly the ideas sat</h2><figure tabindex="0">{svg(drawn)}</figure>',
        f"<p>Words: {escape(telling.words(figures))}</p>",
        _talk(figures),
        f"<h2>Your questions</h2><p>{escape(telling.asked(figures))}</p>",
        _turns(debrief),
        _list("What counts here, for you to judge", debrief.counts),
        _list("What this cannot tell", telling.limits(debrief)),
    ]
    return "\n".join(filter(None, parts))


def page(debrief: Debrief) -> str:
    """The page."""
    title = escape(telling.opening(debrief))
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>{title}</title><style>{_STYLE}</style></head>\n<body>\n{body(debrief)}\n</body></html>\n"
    )


def _table(debrief: Debrief) -> str:
    """What lay on the table, drawn as small as on a phone, and in words."""
    if debrief.page is None:
        return ""
    drawn = pages.picture(debrief.page)
    return f'<figure class="table">{svg(drawn)}<figcaption>On the page: {escape(drawn.alt)}</figcaption></figure>'


def _advice(debrief: Debrief) -> str:
    found = debrief.advice
    if found is None:
        return ""
    why = telling.reason(debrief, telling.QUOTED_WHOLE)
    return (
        f'<section class="try"><h2>One thing to try</h2><p>{escape(why)}</p>'
        f"<blockquote>“{escape(found.sentence)}”</blockquote></section>"
    )


def _list(title: str, lines: Iterable[str]) -> str:
    items = "".join(f"<li>{escape(line)}</li>" for line in lines)
    return f"<h2>{escape(title)}</h2><ul>{items}</ul>" if items else ""


def _ideas(debrief: Debrief) -> list[str]:
    """The wrong ideas that showed."""
    return [f"A wrong idea that showed: {belief}" for belief in debrief.ideas.values()]


def _talk(figures: Figures) -> str:
    rows = "".join(
        f"<tr><th scope=row>{escape(move.value.capitalize())}<br><small>{escape(MEANS[move])}</small></th>"
        f"<td>{len(found)}</td><td>{_links(found)}</td></tr>"
        for move, found in figures.talk.items()
    )
    rows += f"<tr><th scope=row>None of these</th><td>{len(figures.plain)}</td><td>{_links(figures.plain)}</td></tr>"
    return (
        "<h2>Talk moves</h2><table><thead><tr><th scope=col>Move</th><th scope=col>Heard</th>"
        f"<th scope=col>Turns</th></tr></thead><tbody>{rows}</tbody></table>"
    )


def _links(numbers: Iterable[int]) -> str:
    return ", ".join(f'<a href="#turn-{number}">{number}</a>' for number in numbers)


def _turns(debrief: Debrief) -> str:
    items = "".join(_turn(debrief, each) for each in debrief.turns)
    return f"<h2>Turn by turn</h2><ol>{items}</ol>"


def _turn(debrief: Debrief, turn: Spoken) -> str:
    name = {Who.YOU: "You", Who.CHILD: turn.child or debrief.child, Who.OTHER: "Another teacher"}[turn.who]
    text = "<i>not quoted here</i>" if turn.who is Who.OTHER else escape(turn.text)
    told = escape("; ".join(_heard(debrief, turn)))
    note = f"<small>{told}</small>" if told else ""
    return (
        f'<li id="turn-{turn.number}" class="{turn.who.value}">{turn.number} <span class="who">{escape(name)}</span> '
        f"{text}{note}</li>"
    )


def _heard(debrief: Debrief, turn: Spoken) -> list[str]:
    """What is said of one turn below it."""
    if turn.flagged:
        return ["answered by the program, not by the child"]
    if turn.who is Who.CHILD and debrief.mind and turn.thought is not None and turn.thought.misconception:
        idea = debrief.ideas.get(turn.thought.misconception)
        if idea is None:
            return []
        several = f": “{idea}”" if len(debrief.ideas) > 1 else ""
        stage = turn.thought.stage
        if stage is Stage.REVISES and turn.wrong:
            return [f"the wrong idea{several}: slipped back"]
        return [f"the wrong idea{several}: {telling.SITS[stage]}"] if stage else []
    if turn.who is not Who.YOU:
        return []
    heard = HEARD_AS.get(turn.move, turn.move.value) if turn.move else "not heard"
    moves = ", ".join(each.value for each in turn.talk) or "none"
    return [f"heard as: {heard}" + (" (you put this right)" if turn.mended else ""), f"talk moves: {moves}"]
