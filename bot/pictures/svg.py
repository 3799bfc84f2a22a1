"""A picture as SVG: text that scales, with its words for whoever cannot see it. Whatever it says is escaped."""

from __future__ import annotations

from html import escape
from itertools import groupby

from bot.pictures.marks import GROUND, Area, Box, Disc, Drawn, Label, Picture, Point, Stroke


def svg(picture: Picture) -> str:
    """The picture as one <svg> element, to stand inside a page."""
    return (
        f'<svg viewBox="0 0 {picture.width} {picture.height}" role="img" aria-label="{escape(picture.alt)}"'
        f' font-family="system-ui, sans-serif" xmlns="http://www.w3.org/2000/svg">'
        f'<rect width="{picture.width}" height="{picture.height}" fill="{GROUND}"/>'
        f"{''.join(map(_element, picture.marks))}</svg>"
    )


def _element(mark: Drawn) -> str:
    match mark:
        case Box():
            title = f"<title>{escape(mark.title)}</title>" if mark.title else ""
            return (
                f'<rect x="{mark.x:.1f}" y="{mark.y:.1f}" width="{max(0.0, mark.width):.1f}"'
                f' height="{max(0.0, mark.height):.1f}" fill="{mark.colour}">{title}</rect>'
            )
        case Stroke():
            return (
                f'<polyline points="{_points(mark.points)}" fill="none" stroke="{mark.colour}"'
                f' stroke-width="{mark.width:.1f}" stroke-linecap="round" stroke-linejoin="round"/>'
            )
        case Area():
            return f'<polygon points="{_points(mark.points)}" fill="{mark.colour}"/>'
        case Disc():
            edge = f' stroke="{mark.edge}" stroke-width="2"' if mark.edge else ""
            return f'<circle cx="{mark.x:.1f}" cy="{mark.y:.1f}" r="{mark.radius:.1f}" fill="{mark.colour}"{edge}/>'
        case Label():
            return (
                f'<text x="{mark.x:.1f}" y="{mark.y:.1f}" fill="{mark.colour}" text-anchor="{mark.anchor}"'
                f' font-size="{mark.size}">{_words(mark)}</text>'
            )


def _points(points: tuple[Point, ...]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)


def _words(label: Label) -> str:
    if not label.bold:
        return escape(label.text)
    pieces = [
        (thick, "".join(text for text, _ in runs))
        for thick, runs in groupby(label.runs(), key=lambda run: run[1])
    ]
    return "".join(
        f'<tspan font-weight="bold">{escape(text)}</tspan>' if thick else escape(text)
        for thick, text in pieces
    )
