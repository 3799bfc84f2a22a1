"""Chat markup taken off a text: emphasis, spoilers, code, headings and escapes, as Discord and Slack show them.

Arithmetic and blanks to fill in stay: 2*3*4, 8 + __ = 15. So do quotes, which others may have to look through; what of
a turn is its author's own, `bot.student.said` knows.
"""

from __future__ import annotations

import re

_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")
_HELD = re.compile("[\ue000-\ue07f]")
"""Escaped signs while markup is looked for: characters that no text has by now."""
_FENCE = re.compile(r"```(?:[a-z]+\n)?([\s\S]*?)```")
_CODE = re.compile(r"(`{1,2})([^`\n]+)\1")
_LINK = re.compile(r"\[([^\]\n]+)\]\(<?https?:[^)\s]*\)")
_LINE_START = re.compile(r"^[ \t]*(?:#{1,3}|-#|[*•])[ \t]+(?=\S)", re.M)
_SPOILER = re.compile(r"\|\|([\s\S]+?)\|\|")
_EMPHASIS = tuple(
    re.compile(
        # No letter or digit outside, or it is a sign of arithmetic; words inside, or it is a blank.
        rf"(?<![^\W_])(?<!{re.escape(mark[0])}){re.escape(mark)}"
        rf"(?=[\"'(\[$*_~]*[^\W_])([^\n]*?[^\W_][\"')\]%?!.,:;…*_~= ]*)(?<=\S){re.escape(mark)}"
        rf"(?!{re.escape(mark[0])})(?![^\W_])"
    )
    for mark in ("***", "**", "*", "___", "__", "_", "~~", "~")
)


def without_markup(text: str) -> str:
    """The words as they are shown."""
    text = _ESCAPED.sub(lambda found: chr(0xE000 + ord(found[1])), text)
    for pattern in (_FENCE, _LINK, _SPOILER):
        text = pattern.sub(r"\1", text)
    text = _LINE_START.sub("", _CODE.sub(r"\2", text))
    for _ in range(3):  # one in another
        before = text
        for pattern in _EMPHASIS:
            text = pattern.sub(r"\1", text)
        if text == before:
            break
    return _HELD.sub(lambda found: chr(ord(found[0]) - 0xE000), text)
