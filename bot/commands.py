"""/student, written once for all platforms: what each subcommand does, as plain text and rows.

It knows classroom, store and models. How a command is declared and shown is the platform's business.
"""

from __future__ import annotations

import asyncio
import difflib
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bot.models.registry import UnknownModel
from bot.platforms.base import Message
from bot.student.believing.state import MindError, MindState
from bot.student.guard import safeguard
from bot.student.records.dialogue import Role

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bot.classroom import Classroom
    from bot.config import Settings
    from bot.models.describing import ModelInfo
    from bot.models.registry import Models
    from bot.store import Store
    from bot.store.rows import ConversationRow

RUBRIC = (
    "vocabulary",
    "sentence form",
    "reasoning",
    "misconception fidelity",
    "response to teaching",
    "conversation flow",
    "emotion and attention",
    "curriculum fit",
    "engagement",
)
"""What professors rate, each from 1 to 5."""

MOST_LESSONS = 12
MOST_VERSIONS = 5


class CommandError(ValueError):
    """The command cannot be done; the message says what would be right, in one line."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a command was given: the conversation it is about."""

    platform: str
    channel: str
    thread: str | None


@dataclass(frozen=True, slots=True)
class Shown:
    """What a command shows: a line of text, then rows of name and value, then a line about what to do next."""

    text: str
    rows: tuple[tuple[str, str], ...] = ()
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Subcommand:
    """One subcommand as people see it. `argument` is "" where it takes none."""

    name: str
    argument: str
    does: str


SUBCOMMANDS = (
    Subcommand("model", "[name]", "show the models, or switch this conversation to one"),
    Subcommand("child", "[name]", "show the children, or choose who sits here"),
    Subcommand("lesson", "[id or words]", "show or search the lessons, or choose one"),
    Subcommand("status", "", "model, child, lesson and figures of this conversation"),
    Subcommand("new", "", "start a fresh conversation; the child forgets this one"),
    Subcommand("privacy", "[on|off|forget|export]", "whether your turns may be used for training"),
    Subcommand("rate", "[nine scores 1-5] [comment]", "rate this conversation by the rubric"),
    Subcommand("about", "", "what this is"),
    Subcommand("help", "", "this list"),
)


class Commands:
    """The subcommands. Each returns what to show or raises `CommandError`; a `StoreError` passes through."""

    def __init__(self, settings: Settings, store: Store, models: Models, classroom: Classroom) -> None:
        self._settings = settings
        self._store = store
        self._models = models
        self._classroom = classroom
        # A thumb and its taking back may come in one burst, and must not overtake each other.
        self._judging = asyncio.Lock()

    async def run(self, line: str, place: Place, author_hash: str) -> Shown:
        """Do what `line` (without "/student") says."""
        name, _, rest = line.strip().partition(" ")
        rest = rest.strip()
        match name.lower() or "help":
            case "model":
                return await self.model(place, rest or None)
            case "child":
                return await self.child(place, rest or None)
            case "lesson":
                return await self.lesson(place, rest or None)
            case "status":
                return await self.status(place)
            case "new":
                return await self.new(place)
            case "privacy":
                return await self.privacy(author_hash, rest or None)
            case "rate":
                return await self.rate_line(place, author_hash, rest)
            case "about":
                return self.about()
            case "help":
                return self.help()
            case other:
                names = [each.name for each in SUBCOMMANDS]
                raise CommandError(f"no command {other!r}; {_near(other, names)}")

    async def model(self, place: Place, name: str | None) -> Shown:
        """Show the models, or switch the conversation to `name`."""
        conversation = await self._conversation(place)
        if name is not None:
            try:
                self._models.check(name)
            except UnknownModel as error:
                raise CommandError(str(error)) from None
            await self._store.update_conversation(conversation.id, model=name)
            return Shown(f"This conversation now uses the model {name}.")
        current = conversation.model or self._settings.student.model
        rows = tuple(
            (
                info.name + (" (current)" if info.name == current else ""),
                " · ".join(filter(None, (info.kind, info.version, info.state, info.price, *_remarks(info)))),
            )
            for info in self._models.describe()
        )
        return Shown("Models", rows, "Switch with /student model NAME.")

    async def child(self, place: Place, name: str | None) -> Shown:
        """Show the children, or choose one: the mind of the new one is fresh."""
        children = self._classroom.children
        conversation = await self._conversation(place)
        if name is not None:
            chosen = name.strip().lower()
            if chosen not in children:
                raise CommandError(f"no child {name!r}; {_near(chosen, children)}")
            fresh = await self._store.new_conversation(place.platform, place.channel, place.thread)
            await self._store.update_conversation(fresh.id, child=chosen)
            return Shown(f"{children[chosen].name} sits here now, in a fresh conversation.")
        current = conversation.child or self._settings.student.child
        rows = tuple(
            (
                child.id + (" (current)" if child.id == current else ""),
                f"{child.name}, {child.age}, {', '.join(child.temperament)}; likes {', '.join(child.interests[:2])}",
            )
            for child in children.values()
        )
        return Shown("Children", rows, "Choose with /student child NAME.")

    async def lesson(self, place: Place, wanted: str | None) -> Shown:
        """Choose a lesson by id, or search the lessons by code and words."""
        lessons = self._classroom.curriculum.lessons
        conversation = await self._conversation(place)
        current = conversation.lesson or self._settings.student.lesson
        if wanted is not None:
            by_id = {identifier.lower(): identifier for identifier in lessons}
            if wanted.lower() in by_id:
                chosen = by_id[wanted.lower()]
                await self._store.update_conversation(conversation.id, lesson=chosen)
                return Shown(
                    f"The lesson is now {chosen}: {lessons[chosen].title}.", hint=lessons[chosen].objective
                )
        found = self.find_lessons(wanted or "")
        if not found:
            raise CommandError(f"no lesson {wanted!r}; {_near(wanted or '', lessons)}")
        rows = tuple(
            (each + (" (current)" if each == current else ""), lessons[each].title)
            for each in found[:MOST_LESSONS]
        )
        more = len(found) - len(rows)
        hint = "Choose with /student lesson ID; search by any word." + (
            f" {more} more are not shown." if more else ""
        )
        return Shown("Lessons", rows, hint)

    def find_lessons(self, words: str) -> list[str]:
        """Ids of the lessons whose id, standard, subject or title hold all of `words`."""
        wanted = words.lower().split()
        return [
            lesson.id
            for lesson in self._classroom.curriculum.lessons.values()
            if all(
                word in f"{lesson.id} {lesson.standard} {lesson.subject} {lesson.title}".lower()
                for word in wanted
            )
        ]

    async def status(self, place: Place, *, show_mind: bool = True) -> Shown:
        """The conversation's settings and figures; the child's stage only where the role allows it."""
        conversation = await self._conversation(place)
        student, wanted = self._settings.student, self._classroom.curriculum.lessons
        lesson = conversation.lesson or student.lesson
        turns = [turn for turn in await self._store.turns(conversation.id, limit=200) if turn.model]
        latencies = sorted(turn.latency_ms or 0 for turn in turns)
        costs = [turn.cost_usd for turn in turns if turn.cost_usd is not None]
        rows = [
            ("model", conversation.model or student.model),
            ("version", (turns[-1].model_version if turns else None) or "not used yet"),
            ("child", conversation.child or student.child),
            ("lesson", f"{lesson}: {wanted[lesson].title}" if lesson in wanted else lesson),
            ("turns", str(conversation.turns)),
            (
                "answer time",
                f"{latencies[len(latencies) // 2] / 1000:.1f} s (median)" if latencies else "none yet",
            ),
            ("cost", f"${sum(costs):.4f}" if costs else "not metered"),
        ]
        rows += [("waits", each) for each in self._waiting(conversation.model or student.model)]
        if show_mind and conversation.mind:
            try:
                beliefs = MindState.from_json(conversation.mind).beliefs
            except MindError as error:
                raise CommandError(str(error)) from None
            rows += [(f"believes {name}", belief.stage.value) for name, belief in beliefs.items()]
        return Shown("This conversation", tuple(rows))

    def _waiting(self, model: str) -> list[str]:
        """Why versions newer than the one that answers are not live: what a gate has against them."""
        versions = next((info.versions for info in self._models.describe() if info.name == model), ())
        live = max((place for place, each in enumerate(versions) if each.state == "live"), default=-1)
        return [f"{each.version}: {each.waits}" for each in versions[live + 1 :] if each.waits]

    async def new(self, place: Place) -> Shown:
        """End this conversation; model, child and lesson stay."""
        await self._store.new_conversation(place.platform, place.channel, place.thread)
        return Shown("A fresh conversation: the child remembers nothing of the last one.")

    async def privacy(self, author_hash: str, wanted: str | None) -> Shown:
        """Consent of this person, their data, or the end of both."""
        from bot.store.rows import Consent  # noqa: PLC0415 - the one place that needs it

        match wanted:
            case None:
                state = await self._store.consent(author_hash)
                use = {None: "You have not been asked yet", Consent.ON: "Your turns may be used"}.get(
                    state, "Your turns are not used"
                )
                return Shown(
                    f"{use} for training.", hint="Change it with /student privacy on, off, export or forget."
                )
            case "on":
                await self._store.set_consent(author_hash, Consent.ON)
                return Shown("Your turns may be used for training from now on. Thank you.")
            case "off":
                await self._store.set_consent(author_hash, Consent.OFF)
                return Shown("None of your turns, old or new, will be used for training.")
            case "forget":
                report = await self._store.forget(author_hash)
                again = (
                    "If you write again, your turns may be used until you say /student privacy off."
                    if self._settings.privacy.consent == "opt_out"
                    else ""
                )
                return Shown("Forgotten. Gone or blanked:", tuple(report.told()), again)
            case "export":
                return Shown(json.dumps(await self._store.export(author_hash), ensure_ascii=False, indent=1))
            case other:
                raise CommandError(f"privacy takes on, off, forget or export, not {other!r}")

    async def rate_line(self, place: Place, author_hash: str, line: str) -> Shown:
        """Rate from text: nine scores in the rubric's order, then a comment."""
        scores: list[int] = []
        rest = line.strip()
        while len(scores) < len(RUBRIC) and (score := re.match(r"([1-5])(?:[\s,;]+|$)", rest)):
            scores.append(int(score.group(1)))
            rest = rest[score.end() :]
        if len(scores) < len(RUBRIC):
            raise CommandError(
                f"give {len(RUBRIC)} scores from 1 to 5, in this order: {', '.join(RUBRIC)}; then a comment"
            )
        return await self.rate(place, author_hash, dict(zip(RUBRIC, scores, strict=True)), rest or None)

    async def rate(
        self, place: Place, author_hash: str, scores: dict[str, int], comment: str | None
    ) -> Shown:
        """Store one person's rating of this conversation with its provenance."""
        if set(scores) != set(RUBRIC) or not all(1 <= score <= 5 for score in scores.values()):  # noqa: PLR2004
            raise CommandError(f"give each of {', '.join(RUBRIC)} a score from 1 to 5")
        conversation = await self._conversation(place)
        turns = [turn for turn in await self._store.turns(conversation.id, limit=20) if turn.model]
        if not turns:
            raise CommandError("there is nothing to rate yet: talk with the child first")
        await self._store.add_rating(
            conversation.id,
            author_hash,
            scores,
            comment and safeguard.redact(comment)[0],
            model=turns[-1].model,
            model_version=turns[-1].model_version,
        )
        return Shown("Thank you: your rating is kept with this conversation.")

    # What the platforms' buttons, reactions and labels need beside the subcommands.

    def author_hash(self, platform: str, user: str) -> str:
        """A person as the store knows them, from the platform's user id."""
        asking = Message("", platform, "", None, user, "", datetime.now(UTC))
        return self._classroom.hash_of(asking)

    @property
    def model_names(self) -> tuple[str, ...]:
        """Every model's name, from memory: quick enough to complete while somebody types."""
        return self._models.names

    def changes(self, name: str, argument: str | None) -> bool:
        """Whether the subcommand with this argument changes what everybody in the place sees."""
        if name == "lesson":
            lessons = self._classroom.curriculum.lessons
            return (argument or "").lower() in {identifier.lower() for identifier in lessons}
        return name == "new" or (name in {"model", "child"} and bool(argument))

    async def is_new(self, place: Place) -> bool:
        """Whether nothing was said yet in this conversation."""
        return (await self._conversation(place)).turns == 0

    async def follow_channel(self, place: Place) -> None:
        """Let a thread in which nothing was said or chosen yet begin with its channel's model, child and lesson."""
        thread = await self._conversation(place)
        if thread.turns or thread.model or thread.child or thread.lesson:
            return
        channel = await self._conversation(Place(place.platform, place.channel, None))
        await self._store.update_conversation(
            thread.id, model=channel.model, child=channel.child, lesson=channel.lesson
        )

    async def line_in(self, message_id: str) -> str | None:
        """What the child said in this message of the platform; None for every other message."""
        turn = await self._store.find_turn(message_id)
        return turn.content if turn is not None and turn.role is Role.STUDENT and turn.content else None

    async def feedback(self, message_id: str, author_hash: str, kind: str, text: str | None = None) -> bool:
        """Keep "up", "down" or a "suggestion" (with `text`) on the child's turn in this message of the platform.

        False when the message is none of the child's. The newest of one person and kind counts.
        """
        from bot.store.rows import FeedbackKind  # noqa: PLC0415 - as in privacy

        async with self._judging:
            turn = await self._store.find_turn(message_id)
            if turn is None or turn.role is not Role.STUDENT:
                return False
            kept = text and safeguard.redact(text)[0]
            await self._store.add_feedback(turn.id, author_hash, FeedbackKind(kind), kept)
            return True

    async def take_back(self, message_id: str, author_hash: str, kind: str) -> bool:
        """Take "up" or "down" back from the turn in this message; False when this person's is not there."""
        from bot.store.rows import FeedbackKind  # noqa: PLC0415 - as in privacy

        async with self._judging:
            turn = await self._store.find_turn(message_id)
            return turn is not None and await self._store.take_back_feedback(
                turn.id, author_hash, FeedbackKind(kind)
            )

    def about(self) -> Shown:
        """What this is, and what it is not."""
        return Shown(
            "Pupil is a simulated second grader for practising teaching. No real child is here: a program decides "
            "what the child believes, and a language model puts that into words.",
            hint="Teach it, and it may learn. /student help lists the commands.",
        )

    def help(self) -> Shown:
        """All subcommands."""
        return Shown(
            "/student …", tuple((f"{each.name} {each.argument}".strip(), each.does) for each in SUBCOMMANDS)
        )

    async def _conversation(self, place: Place) -> ConversationRow:
        return await self._store.conversation(place.platform, place.channel, place.thread)


def _remarks(info: ModelInfo) -> Iterator[str]:
    """What else there is to say of a model: what is wrong with it, and its other versions."""
    if info.problem:
        yield info.problem
    others = [each for each in info.versions if each.state != "live"]
    for each in others:
        if each.reason and each.reason not in (info.problem or ""):
            yield f"{each.version} refused: {each.reason}"
        if each.waits:
            yield f"{each.version} waits: {each.waits}"
    if candidates := [each.version for each in others if each.state == "candidate" and not each.waits]:
        yield f"also {', '.join(candidates[-MOST_VERSIONS:])}"


def _near(word: str, known: Iterable[str]) -> str:
    names = list(known)
    near = difflib.get_close_matches(word, names, n=3, cutoff=0.5)
    return f"did you mean {', '.join(near)}?" if near else f"there are: {', '.join(names[:MOST_LESSONS])}"
