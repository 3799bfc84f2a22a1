"""/student, written once for all platforms: what each subcommand does, as plain text and rows.

It knows classroom, store and models. How a command is declared and shown is the platform's business.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot import privacy
from bot.debrief import moves
from bot.debrief.command import OFFER, Debriefs
from bot.messages import CommandError, Place, Shown
from bot.models.registry import UnknownModel
from bot.opinions import Opinions
from bot.student.believing.state import MindError, MindState

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Iterator

    from bot.classroom import Classroom
    from bot.config import Settings
    from bot.models.describing import ModelInfo
    from bot.models.registry import Models
    from bot.store import Store
    from bot.store.rows import ConversationRow

MOST_LESSONS = 12
MOST_VERSIONS = 5
MOST_REMEMBERED = 6
"""Things that a child said of itself which its status shows, the newest ones."""


class Commands:
    """The subcommands. Each returns what to show or raises `CommandError`; a `StoreError` passes through."""

    def __init__(self, settings: Settings, store: Store, models: Models, classroom: Classroom) -> None:
        self._settings = settings
        self._store = store
        self._models = models
        self._classroom = classroom
        self.opinions = Opinions(store)
        self._debriefs = Debriefs(settings, store, classroom.children, classroom.curriculum)

    async def run(self, line: str, place: Place, author_hash: str) -> Shown:
        """Do what `line` (without "/student") says."""
        name, _, rest = line.strip().partition(" ")
        wanted = name.lower() or "help"
        for each in SUBCOMMANDS:
            if each.name == wanted:
                return await each.run(self, place, author_hash, rest.strip() or None)
        raise CommandError(f"no command {wanted!r}; {_near(wanted, [each.name for each in SUBCOMMANDS])}")

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
            if info.name in self._models.names
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
            hint = OFFER if conversation.turns else ""
            return Shown(f"{children[chosen].name} sits here now, in a fresh conversation.", hint=hint)
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
                mind = MindState.from_json(conversation.mind)
            except MindError as error:
                raise CommandError(str(error)) from None
            rows += [(f"believes {name}", belief.stage.value) for name, belief in mind.beliefs.items()]
            rows += [("said of itself", each.words) for each in mind.memory[-MOST_REMEMBERED:]]
        return Shown("This conversation", tuple(rows))

    def _waiting(self, model: str) -> list[str]:
        """Why versions newer than the one that answers are not live: what a gate has against them."""
        versions = next((info.versions for info in self._models.describe() if info.name == model), ())
        live = max((place for place, each in enumerate(versions) if each.state == "live"), default=-1)
        return [f"{each.version}: {each.waits}" for each in versions[live + 1 :] if each.waits]

    async def new(self, place: Place) -> Shown:
        """End this conversation; model, child and lesson stay."""
        hint = "" if await self.is_new(place) else OFFER
        await self._store.new_conversation(place.platform, place.channel, place.thread)
        return Shown("A fresh conversation: the child remembers nothing of the last one.", hint=hint)

    async def debrief(
        self, place: Place, author_hash: str, text: str | None = None, *, show_mind: bool = True
    ) -> Shown:
        """A word to this teacher on the practice here, or a move they put right; what the child believes only where
        the role allows it."""
        return await self._debriefs.answer(place, author_hash, text, mind=show_mind)

    async def privacy(self, author_hash: str, wanted: str | None) -> Shown:
        """Consent of this person, their data, or the end of both."""
        return await privacy.answer(self._store, self._settings.privacy, author_hash, wanted)

    # What the platforms' labels and completions need beside the subcommands.

    def author_hash(self, platform: str, user: str) -> str:
        """A person as the store knows them, from the platform's user id."""
        return self._classroom.author_hash(platform, user)

    @property
    def model_names(self) -> tuple[str, ...]:
        """Every model's name, from memory: quick enough to complete while somebody types."""
        return self._models.names

    @property
    def move_names(self) -> tuple[str, ...]:
        """What a teacher's turn can be put right to."""
        return moves.NAMES

    def changes(self, name: str, argument: str | None) -> bool:
        """Whether the subcommand with this argument changes what everybody in the place sees."""
        if name == "lesson":
            lessons = self._classroom.curriculum.lessons
            return (argument or "").lower() in {identifier.lower() for identifier in lessons}
        return name == "new" or (name in {"model", "child"} and bool(argument))

    def pays(self, name: str, argument: str | None) -> bool:
        """Whether the subcommand with this argument chooses a model that somebody may have to pay for."""
        return name == "model" and bool(argument) and self._models.paid((argument or "").strip())

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

    async def about(self) -> Shown:
        """What this is, and what it is not."""
        return Shown(
            "Pupil is a simulated second grader for practising teaching. No real child is here: a program decides "
            "what the child believes, and a language model puts that into words.",
            hint="Teach it, and it may learn. /student help lists the commands.",
        )

    async def help(self) -> Shown:
        """All subcommands."""
        return Shown(
            "/student …", tuple((f"{each.name} {each.argument}".strip(), each.does) for each in SUBCOMMANDS)
        )

    async def _conversation(self, place: Place) -> ConversationRow:
        return await self._store.conversation(place.platform, place.channel, place.thread)


@dataclass(frozen=True, slots=True)
class Subcommand:
    """One subcommand as people see it, and what it does with what stands behind its name. `argument` is "" where
    it takes none."""

    name: str
    argument: str
    does: str
    run: Callable[[Commands, Place, str, str | None], Awaitable[Shown]]
    """Given the place, who asks (as a hash), and the text behind the name, None where there is none."""


SUBCOMMANDS = (
    Subcommand(
        "model",
        "[name]",
        "show the models, or switch this conversation to one",
        lambda do, place, _, text: do.model(place, text),
    ),
    Subcommand(
        "child",
        "[name]",
        "show the children, or choose who sits here",
        lambda do, place, _, text: do.child(place, text),
    ),
    Subcommand(
        "lesson",
        "[id or words]",
        "show or search the lessons, or choose one",
        lambda do, place, _, text: do.lesson(place, text),
    ),
    Subcommand(
        "status",
        "",
        "model, child, lesson and figures of this conversation",
        lambda do, place, *_: do.status(place),
    ),
    Subcommand(
        "new",
        "",
        "start a fresh conversation; the child forgets this one",
        lambda do, place, *_: do.new(place),
    ),
    Subcommand(
        "debrief",
        "[move TURN MOVE]",
        "a word on your practice here, for you alone; or put right how a turn of yours was heard",
        lambda do, place, author, text: do.debrief(place, author, text),
    ),
    Subcommand(
        "privacy",
        "[on|off|forget|export]",
        "whether your turns may be used for training",
        lambda do, _, author, text: do.privacy(author, text),
    ),
    Subcommand(
        "rate",
        "[nine scores 1-5] [comment]",
        "rate this conversation by the rubric",
        lambda do, place, author, text: do.opinions.rate_line(place, author, text or ""),
    ),
    Subcommand("about", "", "what this is", lambda do, *_: do.about()),
    Subcommand("help", "", "this list", lambda do, *_: do.help()),
)
"""All there are, in the order in which they are shown."""


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
