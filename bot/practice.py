"""What a teacher practises, and another try: /student scenario and /student again, as plain text and rows.

It knows the scenarios and the store. What a scenario makes of the child is `seating`.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from bot.messages import CommandError, Place, Shown
from bot.pages.drawing import files
from bot.student.believing.minds import Minds
from bot.student.believing.state import MindError
from bot.student.records.child import listed
from bot.student.records.dialogue import Role
from bot.student.records.reading import near
from bot.student.records.scenario import KINDS, Kind, Scenario

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from bot.config import Settings
    from bot.models.registry import Models
    from bot.store import Store
    from bot.store.rows import ConversationRow, Moment
    from bot.student.records.child import Child
    from bot.student.records.curriculum import Curriculum

FIRST = "forty-five"
"""The scenario for a first time: a wrong idea that makes sense to the child, and nothing to do but find it out."""
MOST_FOUND = 12
MOST_MOMENTS = 12
"""The newest ones; earlier ones can be named all the same."""
EXCERPT = 80
"""Characters of a turn where it is listed."""
PARENT = (
    'this is a talk with a grown-up, which a small model cannot play: choose one with ability = "capable" first, with '
    "/student model NAME; docs/scenarios.md says how to set one up"
)
HOW = "Choose with /student scenario ID; search by goal, subject, child or any word."


class Practice:
    """Each method returns what to show or raises `CommandError`; a `StoreError` passes through."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        children: Mapping[str, Child],
        curriculum: Curriculum,
        models: Models,
    ) -> None:
        self._settings = settings
        self._store = store
        self._children = children
        self._lessons = curriculum.lessons
        self._known = curriculum.scenarios
        self._models = models

    @property
    def _scenarios(self) -> Mapping[str, Scenario]:
        """Those that can be played here: a talk with a parent takes a capable model."""
        if any(self._models.capable(name) for name in self._models.names):
            return self._known
        return {name: each for name, each in self._known.items() if each.parent is None}

    # What is known of a conversation.

    def of(self, conversation: ConversationRow) -> Scenario | None:
        """The scenario that is practised there, if there is one that is known."""
        return self._known.get(conversation.scenario or "")

    def children(self, conversation: ConversationRow) -> tuple[str, ...]:
        """The ids of the children who sit there, in order."""
        scenario = self.of(conversation)
        if scenario:
            return scenario.children
        known = tuple(each for each in conversation.children if each in self._children)
        return known or (self._settings.student.child,)

    def lesson(self, conversation: ConversationRow) -> str:
        """The id of the lesson that is on there."""
        scenario = self.of(conversation)
        return scenario.lesson if scenario else conversation.lesson or self._settings.student.lesson

    def names(self, children: Sequence[str]) -> str:
        """The names of these children as one says them: "Mia, Owen and Yusuf"."""
        return listed([self._children[each].name for each in children])

    def with_whom(self, conversation: ConversationRow) -> str:
        """With whom one talks there, by name: the children, or a parent."""
        scenario = self.of(conversation)
        return self.partner(scenario) if scenario else self.names(self.children(conversation))

    def partner(self, scenario: Scenario) -> str:
        """The same of a scenario."""
        return scenario.parent.name if scenario.parent else self.names(scenario.children)

    async def leave(self, place: Place, children: Sequence[str], lesson: str | None) -> ConversationRow:
        """Begin a conversation with these children and that lesson, and without a scenario."""
        fresh = await self._store.new_conversation(place.platform, place.channel, place.thread)
        return await self._store.update_conversation(
            fresh.id, child=" ".join(children), lesson=lesson, scenario=None
        )

    async def end(self, place: Place, author_hash: str) -> int:
        """End the conversation here, in which this teacher spoke, and begin a fresh one; give the number of the old
        one."""
        running = await self._conversation(place)
        mine = await self._store.practices.newest(place.platform, place.channel, place.thread, author_hash)
        if mine is None or mine.id != running.id:
            raise CommandError("you have said nothing in this practice yet: talk with the child first")
        await self._store.new_conversation(place.platform, place.channel, place.thread)
        return running.id

    # /student scenario.

    async def scenario(self, place: Place, text: str | None) -> Shown:
        """Show what is practised here, list what can be, choose, leave, or assign one to the channel."""
        word, _, rest = (text or "").strip().partition(" ")
        if word.lower() == "assign":
            return await self._assign(place, rest.strip())
        conversation = await self._conversation(place)
        if word.lower() == "off":
            await self.leave(place, self.children(conversation), self.lesson(conversation))
            return Shown("No scenario is practised here any more. This is a fresh conversation.")
        current = self.of(conversation)
        if not word and current is not None:
            rows = (*self._card(current), ("what counts", "\n".join(f"· {each}" for each in current.counts)))
            hint = "/student scenario list shows all, off leaves this one."
            return Shown(current.title, rows, hint, files=await files(current.shown))
        if (chosen := self._named(text or "")) is not None:
            if chosen.parent and not self._models.capable(conversation.model or self._settings.student.model):
                raise CommandError(PARENT)
            fresh = await self._store.new_conversation(place.platform, place.channel, place.thread)
            await self._store.update_conversation(fresh.id, scenario=chosen.id)
            return await self.card(chosen)
        if word.lower() in {"", "list"} and not rest:
            return self._overview()
        return self._search(text or "", current)

    async def card(self, scenario: Scenario) -> Shown:
        """What the teacher is told before it begins, with the page that lies on the table."""
        return Shown(
            scenario.title,
            tuple(self._card(scenario)),
            f"Write to {self.partner(scenario)} when you are ready. /student done ends it with a word on your "
            "practice; /student scenario shows this again.",
            files=await files(scenario.shown),
        )

    def find(self, words: str) -> list[Scenario]:
        """The scenarios whose id, title, goal, subject, lesson or child hold all of `words`."""
        wanted = words.lower().split()
        return [
            each for each in self._scenarios.values() if all(word in self._about(each) for word in wanted)
        ]

    def changes(self, name: str, argument: str) -> bool:
        """Whether the subcommand with this argument changes what everybody in the place sees."""
        if name == "again":
            return bool(argument)
        word, _, rest = argument.lower().partition(" ")
        chooses = self._named(argument) is not None or word == "off"
        return name == "scenario" and (chooses or (word == "assign" and bool(rest.strip())))

    async def _assign(self, place: Place, wanted: str) -> Shown:
        tries = self._store.tries
        if not wanted:
            assigned = await tries.assignment(place.platform, place.channel)
            now = (
                f"Every new conversation here begins with {assigned}."
                if assigned
                else "None is assigned here."
            )
            return Shown(now, hint="/student scenario assign ID assigns one, assign off takes it off.")
        if wanted.lower() == "off":
            await tries.assign(place.platform, place.channel, None)
            return Shown("New conversations here begin without a scenario again.", hint="What runs goes on.")
        scenario = self._named(wanted)
        if scenario is None:
            raise CommandError(f"no scenario {wanted!r}; {near(wanted, self._scenarios)}")
        await tries.assign(place.platform, place.channel, scenario.id)
        running = await self._conversation(Place(place.platform, place.channel, None))
        if not running.turns:
            await self._store.update_conversation(running.id, scenario=scenario.id)
        return Shown(
            f"Every new conversation here begins with: {scenario.title}.",
            tuple(self._card(scenario)),
            "What runs goes on; /student new begins with it. Teachers see this with /student scenario.",
        )

    def _overview(self) -> Shown:
        rows = [
            (kind.replace("-", " "), "\n".join(f"{each.id}: {each.title}" for each in found))
            for kind, found in self.by_goal(self._scenarios.values())
        ]
        if FIRST in self._scenarios:
            rows.insert(0, ("for a first time", f"{FIRST}: {self._scenarios[FIRST].title}"))
        return Shown("Scenarios, by goal" if rows else "There are no scenarios here.", tuple(rows), HOW)

    @staticmethod
    def by_goal(scenarios: Iterable[Scenario]) -> list[tuple[Kind, list[Scenario]]]:
        """The scenarios of each kind of goal, in the order in which the kinds are shown; no kind without one."""
        every = list(scenarios)
        sorted_ = [(kind, [each for each in every if each.kind == kind]) for kind in KINDS]
        return [(kind, found) for kind, found in sorted_ if found]

    @property
    def first(self) -> Scenario | None:
        """The one for a first time, where it is there."""
        return self._scenarios.get(FIRST)

    def _search(self, words: str, current: Scenario | None) -> Shown:
        found = self.find(words)
        if not found:
            raise CommandError(f"no scenario {words!r}; {near(words, self._scenarios)}")
        rows = tuple(
            (each.id + (" (current)" if each is current else ""), self.summary(each))
            for each in found[:MOST_FOUND]
        )
        more = len(found) - len(rows)
        return Shown("Scenarios", rows, HOW + (f" {more} more are not shown." if more else ""))

    def summary(self, scenario: Scenario) -> str:
        """Title, goal, child and subject in a line."""
        names, subject = self.partner(scenario), self._lessons[scenario.lesson].subject
        return f"{scenario.title} ({scenario.kind.replace('-', ' ')}; {names}, {subject})"

    def _card(self, scenario: Scenario) -> Iterator[tuple[str, str]]:
        lesson = self._lessons[scenario.lesson]
        seats = [self._children[each] for each in scenario.children]
        ages = ", ".join(f"{each.name} ({each.age})" for each in seats)
        if scenario.parent:
            yield "with", f"{scenario.parent.name}, {scenario.parent.who}; about {ages}"
        else:
            yield "with", f"{ages}; {lesson.title.rstrip('?.!')}"
        yield "when", scenario.time
        yield "before", scenario.before
        if scenario.work:
            yield "on the page", scenario.work
        if scenario.page:
            yield "on the table", scenario.page.told
        if scenario.opening:
            yield f"{scenario.parent.name if scenario.parent else seats[0].name} says", scenario.opening
        yield "your goal", scenario.goal
        yield "how long", scenario.length

    def _about(self, scenario: Scenario) -> str:
        lesson = self._lessons[scenario.lesson]
        return " ".join(
            (
                scenario.id,
                scenario.title,
                scenario.kind,
                scenario.kind.replace("-", " "),
                lesson.subject,
                lesson.id,
                lesson.title,
                *(self._children[each].name for each in scenario.children),
                self.partner(scenario),
            )
        ).lower()

    def _named(self, identifier: str) -> Scenario | None:
        wanted = identifier.strip().lower()
        return next((each for each in self._known.values() if each.id.lower() == wanted), None)

    # /student again.

    async def again(self, place: Place, text: str | None) -> Shown:
        """List what a teacher said here, or go back to before one of these turns: a new conversation, the same mind."""
        conversation = await self._conversation(place)
        moments = await self._store.tries.moments(conversation)
        if not moments:
            raise CommandError("nothing was said here yet, so there is nothing to try again")
        if text is None:
            rows = tuple((str(number), _excerpt(each)) for number, each in enumerate(moments, start=1))
            return Shown(
                "What was said to the child here",
                rows[-MOST_MOMENTS:],
                "/student again N goes back to before turn N, and you say something else.",
            )
        number = int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0  # noqa: PLR2004
        if not 1 <= number <= len(moments):
            raise CommandError(f"no turn {text!r}; give the number of a turn from 1 to {len(moments)}")
        moment = moments[number - 1]
        mind = await self._mind_at(moment, number, self.children(conversation))
        await self._store.tries.branch(conversation, moment, mind)
        return await self._back(place, moment, number)

    async def _mind_at(self, moment: Moment, number: int, children: Sequence[str]) -> str | None:
        """The state of whoever sat there as it was when they heard that turn."""
        mind = await self._store.tries.mind_at(moment)
        if moment.said_before is None:
            return None
        night = timedelta(hours=self._settings.classroom.next_day_hours)
        try:
            if mind is None:
                raise MindError(f"what the child had in mind before turn {number} is not kept any more")
            rested = moment.said_at - moment.said_before > night
            return Minds.from_json(mind, children).next_day().to_json(children) if rested else mind
        except MindError as error:
            raise CommandError(str(error)) from None

    async def _back(self, place: Place, moment: Moment, number: int) -> Shown:
        conversation, said = await self._store.so_far(
            place.platform, place.channel, place.thread, lambda _: 2
        )
        seats = self.children(conversation)
        first = self._children[seats[0]]
        rows = [
            (
                f"{self._children.get(each.child or '', first).name} had said"
                if each.role is Role.STUDENT
                else "said before",
                each.content,
            )
            for each in said
        ]
        if moment.content:
            rows.append((f"turn {number} was", moment.content))
        return Shown(
            f"{self.names(seats)} {'are' if len(seats) > 1 else 'is'} back where turn {number} had not been said. "
            "What do you say now?",
            tuple(rows),
            "The first try is kept. /student again goes back once more.",
        )

    async def _conversation(self, place: Place) -> ConversationRow:
        return await self._store.conversation(place.platform, place.channel, place.thread)


def _excerpt(moment: Moment) -> str:
    text = " ".join(moment.content.split())
    return f"{text[:EXCERPT]}…" if len(text) > EXCERPT else text or "(taken out)"
