"""/student, written once for all platforms: what each subcommand does, as plain text and rows.

It knows classroom, store and models. How a command is declared and shown is the platform's business.
"""

from __future__ import annotations

import difflib
import re
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from bot import privacy
from bot.choices import Choices
from bot.courses import Courses
from bot.debrief import moves
from bot.debrief.command import OFFER, Debriefs
from bot.messages import CommandError, Place, Shown
from bot.models.registry import UnknownModel
from bot.opinions import Opinions
from bot.pages.drawing import files
from bot.portfolio import Portfolio
from bot.practice import Practice
from bot.student.believing.minds import Minds
from bot.student.believing.state import MindError
from bot.student.records.scenario import MOST_CHILDREN
from bot.subcommands import SUBCOMMANDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from bot.classroom import Classroom
    from bot.config import Settings
    from bot.links import Links
    from bot.models.describing import ModelInfo
    from bot.models.registry import Models
    from bot.store import Store
    from bot.store.rows import ConversationRow, TurnRow
    from bot.student.records.lesson import Lesson

MOST_LESSONS = 12
LATELY = 10
"""Replies by which the status tells whose words the child speaks."""
PHRASING = "phrasing"
"""How a turn is marked for which no model had words that could stand."""
NO_WEB = "there is no web classroom here; whoever runs this bot sets one up with [web] in config.toml"
ENDED = "This practice has ended. What is said next begins a fresh one."
MOST_VERSIONS = 5
MOST_REMEMBERED = 6
"""Things that a child said of itself which its status shows, the newest ones."""


class Commands:
    """The subcommands. Each returns what to show or raises `CommandError`; a `StoreError` passes through."""

    def __init__(  # noqa: PLR0913 - the services of the room
        self,
        settings: Settings,
        store: Store,
        models: Models,
        classroom: Classroom,
        troubles: Mapping[str, str] | None = None,
        links: Links | None = None,
        instructors: frozenset[str] = frozenset(),
    ) -> None:
        """`troubles` is what is wrong with the bot at the moment, by what it is about; `instructors` are hashes."""
        self._settings = settings
        self._store = store
        self._models = models
        self._classroom = classroom
        self._troubles = {} if troubles is None else troubles
        self.opinions: Opinions = Opinions(store)
        self.practice: Practice = Practice(settings, store, classroom.children, classroom.curriculum, models)
        self.debriefs: Debriefs = Debriefs(settings, store, classroom.children, classroom.curriculum)
        self.choices: Choices = Choices(
            lambda: models.names,
            classroom.children,
            classroom.curriculum.lessons,
            self.find_lessons,
            self.practice,
        )
        self.links = links
        data = (classroom.children, classroom.curriculum)
        self.portfolio: Portfolio = Portfolio(store, self.practice, self.debriefs, *data)
        self.courses: Courses = Courses(
            store, self.portfolio, self.opinions, classroom.curriculum, settings.privacy, instructors
        )

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
                name = self._models.check(name)
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

    async def child(self, place: Place, names: str | None) -> Shown:
        """Show the children, or choose one or some: the minds of the new ones are fresh."""
        children = self._classroom.children
        conversation = await self._conversation(place)
        if names is not None:
            chosen = tuple(dict.fromkeys(re.split(r"[\s,]+", names.strip(" ,").lower())))
            for each in chosen:
                if each not in children:
                    raise CommandError(f"no child {each!r}; {_near(each, children)}")
            if len(chosen) > MOST_CHILDREN:
                raise CommandError(f"{len(chosen)} children are too many here; choose up to {MOST_CHILDREN}")
            lesson = self.practice.lesson(conversation) if conversation.scenario else conversation.lesson
            await self.practice.leave(place, chosen, lesson)
            supports = tuple(
                (f"what helps {children[each].name}", support)
                for each in chosen
                for support in children[each].supports
            )
            hint = OFFER if conversation.turns else ""
            several = len(chosen) > 1
            text = f"{self.practice.names(chosen)} {'sit' if several else 'sits'} here now, in a fresh conversation."
            if several:
                text += " Call one by name, or ask them all."
            return Shown(text, supports, hint)
        current = self.practice.children(conversation)
        rows = tuple(
            (
                child.id + (" (current)" if child.id in current else ""),
                f"{child.name}, {child.age}, {', '.join(child.temperament)}; likes {', '.join(child.interests[:2])}",
            )
            for child in children.values()
        )
        return Shown(
            "Children", rows, "Choose with /student child NAME, or several: /student child mia owen."
        )

    async def lesson(self, place: Place, wanted: str | None) -> Shown:
        """Choose a lesson by id, or search the lessons by code and words."""
        lessons = self._classroom.curriculum.lessons
        conversation = await self._conversation(place)
        current = self.practice.lesson(conversation)
        if wanted is not None:
            by_id = {identifier.lower(): identifier for identifier in lessons}
            if wanted.lower() in by_id:
                chosen = by_id[wanted.lower()]
                if conversation.scenario:
                    await self.practice.leave(place, self.practice.children(conversation), chosen)
                else:
                    await self._store.update_conversation(conversation.id, lesson=chosen)
                return await _begun(lessons[chosen])
        found = self.find_lessons(wanted or "")
        if not found:
            near = self._near_lessons(wanted or "")
            told = "did you mean " + ", ".join(f"{each} ({lessons[each].title})" for each in near) + "?"
            search = "search by a word of its title, such as /student lesson subtract"
            raise CommandError(f"no lesson {wanted!r}; {told if near else search}")
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

    def _near_lessons(self, words: str) -> list[str]:
        """Ids of the lessons that share most with `words`: the beginnings of words, or an id much alike."""
        lessons = self._classroom.curriculum.lessons
        wanted = {word[:5] for word in re.findall(r"[a-z]{3,}|\d[\w.]*", words.lower())}
        by_id = {each.lower(): each for each in lessons}
        alike = [by_id[each] for each in difflib.get_close_matches(words.lower(), by_id, n=3, cutoff=0.5)]
        shared = {
            each.id: sum(word in f"{each.id} {each.subject} {each.title}".lower() for word in wanted)
            for each in lessons.values()
        }
        ranked = sorted((each for each in lessons if shared[each]), key=lambda each: -shared[each])
        return list(dict.fromkeys((*alike, *ranked)))[:3]

    async def status(self, place: Place, *, show_mind: bool = True) -> Shown:
        """The conversation's settings and figures; the child's stage only where the role allows it."""
        conversation = await self._conversation(place)
        student, wanted = self._settings.student, self._classroom.curriculum.lessons
        lesson, scenario = self.practice.lesson(conversation), self.practice.of(conversation)
        seats = self.practice.children(conversation)
        turns = [turn for turn in await self._store.turns(conversation.id, limit=200) if turn.model]
        latencies = sorted(turn.latency_ms or 0 for turn in turns)
        costs = [turn.cost_usd for turn in turns if turn.cost_usd is not None]
        model = conversation.model or student.model
        spoken = [turn for turn in turns if turn.model == model and turn.voiced != PHRASING]
        rows = [
            ("model", model),
            ("version", (spoken[-1].model_version if spoken else None) or "not used yet"),
            *self._speech(model, turns[-LATELY:]),
            ("child" if len(seats) == 1 else "children", ", ".join(seats)),
            ("lesson", f"{lesson}: {wanted[lesson].title}" if lesson in wanted else lesson),
            ("turns", str(conversation.turns)),
            (
                "answer time",
                f"{latencies[len(latencies) // 2] / 1000:.1f} s (median)" if latencies else "none yet",
            ),
            ("cost", f"${sum(costs):.4f}" if costs else "not metered"),
        ]
        if scenario:
            rows.insert(0, ("scenario", f"{scenario.id}: {scenario.title}"))
            rows.append(("believes", "find out: that is what you practise"))
        rows += [("waits", each) for each in self._waiting(model)]
        rows += [("not well", each) for each in self._troubles]
        if show_mind and conversation.mind and not scenario:
            rows += self._believed(conversation.mind, seats)
        return Shown("This conversation", tuple(rows))

    def _believed(self, mind: str, seats: Sequence[str]) -> Iterator[tuple[str, str]]:
        """How firmly each child's ideas sit, and what it said of itself."""
        try:
            minds = Minds.from_json(mind, seats)
        except MindError as error:
            raise CommandError(str(error)) from None
        for child, state in zip(seats, minds.states, strict=True):
            whose = f"{self.practice.names([child])} " if len(seats) > 1 else ""
            yield from ((f"{whose}believes {idea}", each.stage.value) for idea, each in state.beliefs.items())
            yield from ((f"{whose}said of itself", each.words) for each in state.memory[-MOST_REMEMBERED:])

    def _speech(self, model: str, lately: Sequence[TurnRow]) -> Iterator[tuple[str, str]]:
        """Whose words the child spoke lately, where not all were the model's; and what is wrong with that."""
        by = Counter("authored phrases" if turn.voiced == PHRASING else str(turn.model) for turn in lately)
        if set(by) - {model}:
            yield "spoke lately", ", ".join(f"{who} {count}" for who, count in by.most_common())
        problem = next((info.problem for info in self._models.describe() if info.name == model), None)
        if model not in self._models.names:
            problem = "there is no such model any more"
        if not problem and lately and model not in by:
            problem = f"it gave none of the last {len(lately)} replies; python -m bot models says more"
        if problem:
            yield "not working", problem

    def _waiting(self, model: str) -> list[str]:
        """Why versions newer than the one that answers are not live: what a gate has against them."""
        versions = next((info.versions for info in self._models.describe() if info.name == model), ())
        live = max((place for place, each in enumerate(versions) if each.state == "live"), default=-1)
        return [f"{each.version}: {each.waits}" for each in versions[live + 1 :] if each.waits]

    async def new(self, place: Place) -> Shown:
        """End this conversation; model, child, lesson and scenario stay."""
        hint = "" if await self.is_new(place) else OFFER
        fresh = await self._store.new_conversation(place.platform, place.channel, place.thread)
        if (scenario := self.practice.of(fresh)) is not None:
            return await self.practice.card(scenario)
        return Shown("A fresh conversation: the child remembers nothing of the last one.", hint=hint)

    async def debrief(
        self, place: Place, author_hash: str, text: str | None = None, *, show_mind: bool = True
    ) -> Shown:
        """A word to this teacher on the practice here, or a move they put right; what the child believes only where
        the role allows it."""
        return await self.debriefs.answer(place, author_hash, text, mind=show_mind)

    async def done(self, place: Place, author_hash: str, *, show_mind: bool = True) -> Shown:
        """End the practice here with a word on it to this teacher; what is said next begins a fresh one."""
        await self.practice.end(place, author_hash)
        told = await self.debrief(place, author_hash, show_mind=show_mind)
        return replace(told, all_told=ENDED)

    async def growth(self, author_hash: str, *, show_mind: bool = True) -> Shown:
        """What this person's practices show over weeks; what the children believed only where the role allows it."""
        return await self.debriefs.growth(author_hash, mind=show_mind)

    async def web(self, author_hash: str) -> Shown:
        """A way into the web classroom for this person alone."""
        if self.links is None or not self.links.address:
            raise CommandError(NO_WEB)
        return Shown(
            "Your way into the web classroom.",
            hint="It works once, within ten minutes, and it is yours: whoever opens it is you there.",
            link=self.links.link(author_hash),
        )

    async def privacy(self, author_hash: str, wanted: str | None) -> Shown:
        """Consent of this person, their data, or the end of both."""
        return await privacy.answer(self._store, self._settings.privacy, author_hash, wanted)

    # What the platforms' labels and completions need beside the subcommands.

    def author_hash(self, platform: str, user: str) -> str:
        """A person as the store knows them, from the platform's user id."""
        return self._classroom.author_hash(platform, user)

    @property
    def move_names(self) -> tuple[str, ...]:
        """What a teacher's turn can be put right to."""
        return moves.NAMES

    def changes(self, name: str, argument: str | None) -> bool:
        """Whether the subcommand with this argument changes what everybody in the place sees."""
        if name == "lesson":
            lessons = self._classroom.curriculum.lessons
            return (argument or "").lower() in {identifier.lower() for identifier in lessons}
        chooses = name in {"model", "child"} and bool(argument)
        return name in {"new", "done"} or chooses or self.practice.changes(name, (argument or "").strip())

    def pays(self, name: str, argument: str | None) -> bool:
        """Whether the subcommand with this argument chooses a model that somebody may have to pay for."""
        return name == "model" and bool(argument) and self._models.paid((argument or "").strip())

    async def is_new(self, place: Place) -> bool:
        """Whether nothing was said yet in this conversation."""
        return (await self._conversation(place)).turns == 0

    async def follow_channel(self, place: Place) -> None:
        """Let a thread in which nothing was said or chosen yet begin with its channel's model, child, lesson
        and scenario."""
        thread = await self._conversation(place)
        if thread.turns or thread.model or thread.child or thread.lesson:
            return
        channel = await self._conversation(Place(place.platform, place.channel, None))
        await self._store.update_conversation(
            thread.id,
            model=channel.model,
            child=channel.child,
            lesson=channel.lesson,
            scenario=thread.scenario or channel.scenario,
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


async def _begun(lesson: Lesson) -> Shown:
    """What is told of a lesson that was chosen, with the page that lies on the table."""
    page = lesson.page
    rows = (("on the page", page.told),) if page else ()
    text = f"The lesson is now {lesson.id}: {lesson.title}."
    return Shown(text, rows, lesson.objective, files=await files(page))


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
