"""A picture as SVG: text that scales, with its words for whoever cannot see it. It knows boxes and labels only."""

from __future__ import annotations

from html import escape

from bot.debrief.picture import GROUND, Picture


def svg(picture: Picture) -> str:
    """The picture as one <svg> element, to stand inside a page."""
    size = f"{picture.width} {picture.height}"
    drawn = [
        f'<rect x="{box.x:.1f}" y="{box.y:.1f}" width="{max(0.0, box.width):.1f}" height="{max(0.0, box.height):.1f}"'
        f' fill="{box.colour}">' + (f"<title>{escape(box.title)}</title>" if box.title else "") + "</rect>"
        for box in picture.boxes
    ]
    drawn += [
        f'<text x="{each.x:.1f}" y="{each.y:.1f}" fill="{each.colour}" text-anchor="{each.anchor}">'
        f"{escape(each.text)}</text>"
        for each in picture.labels
    ]
    return (
        f'<svg viewBox="0 0 {size}" role="img" aria-label="{escape(picture.alt)}" font-family="system-ui, sans-serif"'
        f' font-size="15" xmlns="http://www.w3.org/2000/svg">'
        f'<rect width="{picture.width}" height="{picture.height}" fill="{GROUND}"/>{"".join(drawn)}</svg>'
    )
