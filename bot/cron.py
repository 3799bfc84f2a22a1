"""Cron lines, read as cron reads them: Sunday is 0 and 7, and of a day of the month and a weekday either will do.

APScheduler keeps the time, but counts weekdays from Monday and wants both days at once.
"""

from __future__ import annotations

from datetime import UTC

from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.combining import OrTrigger
from apscheduler.triggers.cron import CronTrigger

WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
FIELDS = 5


def trigger(line: str) -> BaseTrigger:
    """When the line "minute hour day month weekday" fires, in UTC. Raises `ValueError`."""
    fields = line.split()
    if len(fields) != FIELDS:
        raise ValueError(f"expected {FIELDS} fields, got {len(fields)}")
    minute, hour, day, month, weekday = fields
    when = {"minute": minute, "hour": hour, "month": month, "timezone": UTC}
    days = _weekdays(weekday)
    if day.startswith("*") or weekday.startswith("*"):
        return CronTrigger(day=day, day_of_week=days, **when)
    return OrTrigger([CronTrigger(day=day, **when), CronTrigger(day_of_week=days, **when)])


def _weekdays(field: str) -> str:
    found: set[int] = set()
    for part in field.lower().split(","):
        days, slash, step = part.partition("/")
        first, dash, last = days.partition("-")
        begin = 0 if first == "*" else _number(first)
        end = _number(last) if dash else 6 if first == "*" or slash else begin
        end = 7 if dash and end == 0 else end  # sat-sun
        if end < begin or (slash and (not step.isdecimal() or int(step) < 1)):
            raise ValueError(f"weekday {part!r}: expected such as 1-5, mon-fri, 0,6 or */2")
        found.update(day % 7 for day in range(begin, end + 1, int(step or 1)))
    return ",".join(WEEKDAYS[day] for day in sorted(found))


def _number(day: str) -> int:
    if day in WEEKDAYS:
        return WEEKDAYS.index(day)
    if not (day.isdecimal() and int(day) <= 7):  # noqa: PLR2004 - Sunday again
        raise ValueError(f"weekday {day!r}: expected 0 to 7, where 0 and 7 are Sunday, or sun to sat")
    return int(day)
