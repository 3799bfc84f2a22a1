"""The store: every question the bot and the training ask of the log, each answered in one method.

Here is who asks, and in which transaction; the SQL is beside it, by what is kept: `claims`, `conversations`, `turns`
and so on. It knows no platform, no model and no lesson: it keeps what it is given. Methods raise `StoreError` and
nothing else when the database fails; a failed write left nothing, a cancelled one is finished behind the caller's back.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Unpack

from bot.store import (
    backups,
    branches,
    claims,
    consents,
    conversations,
    harvested,
    leaving,
    months,
    opinions,
    person,
    rehearsing,
    turns,
    unsaying,
    upkeep,
)
from bot.store.about import About
from bot.store.candidates import Candidates
from bot.store.courses import Courses
from bot.store.database import Database, StoreError, Work
from bot.store.harvests import Harvests
from bot.store.links import UsedLinks
from bot.store.outbox import Outbox, as_json
from bot.store.practices import Practices
from bot.store.revisions import ready
from bot.store.rows import (
    BackupsReport,
    ClaimedMessage,
    Consent,
    ConversationChanges,
    ConversationRow,
    Exchange,
    FeedbackKind,
    ForgetReport,
    LoggedTurn,
    PurgeReport,
    RatingRow,
    Spoken,
    Standing,
    StudentTurn,
    TeacherTurn,
    TurnRow,
)
from bot.store.runs import Runs
from bot.store.tries import Tries
from bot.store.turns import EVERYWHERE
from bot.store.whole import whole


class Store:
    """One open database. Make it with `Store.open`, give it back with `aclose`."""

    def __init__(self, database: Database, data: Path | None = None, backups: Path | None = None) -> None:
        self._database = database
        self._data = data
        self._backups = backups
        self._work = Work()
        self.outbox = Outbox(database, self._work)
        self.about = About(database, self._work)
        """What the database knows of itself."""
        self.runs = Runs(database, self._work)
        """Which jobs ran, and when."""
        self.harvests = Harvests(database)
        """What a harvest of the log asks, and where it puts what it found."""
        self.practices = Practices(database)
        """Whole conversations, as a debrief reads them."""
        self.candidates = Candidates(database)
        """What was harvested from the log, with its reviews."""
        self.tries = Tries(database, self._work)
        """Which scenario is practised where, and another try from an earlier turn."""
        self.courses = Courses(database, self._work)
        """Courses, who is in them, and what is shared there."""
        self.links = UsedLinks(database, self._work)
        """Which sign-in links were used."""

    @classmethod
    async def open(
        cls, url: str, *, read_only: bool = False, data: Path | None = None, backups: Path | None = None
    ) -> Store:
        """Open the database at `url`, creating it when new (unless `read_only`).

        `data` is the folder with the files of harvested dialogues, `backups` that of the copies: `forget` cleans
        both as well. Raises `StoreError` when it cannot be used: missing, damaged, older (says to migrate) or newer.
        """
        database = Database(url, read_only=read_only)
        try:
            await ready(database)
        except BaseException:
            await database.aclose()
            raise
        return cls(database, data, backups)

    async def aclose(self) -> None:
        """Finish what is in hand and close every connection; the store is of no use afterwards."""
        await self._work.all_done()
        await self._database.aclose()

    @whole
    async def writable(self) -> None:
        """Really write something, through to the disk, and leave no trace; `StoreError` when that fails."""
        async with self._database.writing() as connection:
            # Deleted and committed, not rolled back: only a commit finds out that the disk is full.
            await claims.probe(connection)

    @whole
    async def rehearse(self) -> None:
        """Do all that a message takes, and leave no trace."""
        with contextlib.suppress(rehearsing.Undone):
            async with self._database.writing() as connection:
                await rehearsing.message(connection)

    # Messages: claimed once, then answered or failed.

    @whole
    async def claim(self, message: ClaimedMessage) -> Standing:
        """Take the message; `NONE`, which is false, when this or another program already did, ever."""
        async with self._database.writing() as connection:
            return await claims.claim(connection, message, self.outbox.program)

    @whole
    async def unanswered(self) -> list[ClaimedMessage]:
        """Messages claimed but neither answered nor failed, by whomever, oldest first."""
        async with self._database.reading() as connection:
            return await claims.unanswered(connection)

    @whole
    async def mark_failed(self, key: str, reason: str, conversation_id: int | None = None) -> None:
        """Give up on a claimed message of that conversation, and let go of its text; one answered stays so."""
        async with self._database.writing() as connection:
            await claims.fail(connection, key, reason, conversation_id)

    # Conversations: one current one per place.

    async def conversation(self, platform: str, channel: str, thread: str | None) -> ConversationRow:
        """The current conversation of a place, begun when there is none."""
        row, _ = await self.so_far(platform, channel, thread, lambda _: 0)
        return row

    @whole
    async def so_far(
        self, platform: str, channel: str, thread: str | None, most: Callable[[ConversationRow], int]
    ) -> tuple[ConversationRow, list[TurnRow]]:
        """The current conversation of a place, begun when there is none, and the last `most` of its turns and
        of those it goes on from, as `turns` gives them; `most` says how many of that conversation."""
        async with self._database.reading() as connection:
            row = await conversations.current(connection, platform, channel, thread)
            if row is not None:
                count = most(row) if row.turns else 0
                return row, await branches.told(connection, row, count) if count else []
        async with self._database.writing() as connection:
            return await conversations.begin(connection, platform, channel, thread, {}), []

    @whole
    async def is_known(self, platform: str, channel: str, thread: str | None) -> bool:
        """Whether a place has a current conversation."""
        async with self._database.reading() as connection:
            return await conversations.current(connection, platform, channel, thread) is not None

    @whole
    async def places(self, platform: str, since: datetime | None = None) -> list[tuple[str, str | None]]:
        """Channels and threads of a platform where the child spoke (since then), newest first."""
        async with self._database.reading() as connection:
            return await conversations.places(connection, platform, since)

    @whole
    async def new_conversation(self, platform: str, channel: str, thread: str | None) -> ConversationRow:
        """End the current conversation of a place and begin one with the same model, child, lesson and scenario."""
        async with self._database.writing() as connection:
            return await conversations.begin_anew(connection, platform, channel, thread)

    @whole
    async def update_conversation(
        self, conversation_id: int, **changes: Unpack[ConversationChanges]
    ) -> ConversationRow:
        """Change what is named, keep the rest; None sets a default. Raises `StoreError` for no such id."""
        async with self._database.writing() as connection:
            return await conversations.change(connection, conversation_id, changes)

    # Turns.

    @whole
    async def log_exchange(  # noqa: PLR0913 - what one exchange is
        self,
        claim_key: str,
        conversation_id: int,
        teacher: TeacherTurn,
        student: StudentTurn | None,
        mind: str | None,
        *,
        mind_before: str | None = None,
        then: Spoken | None = None,
    ) -> Exchange:
        """Log a teacher's turn, the child's answer and state, and mark the claim answered: all or nothing. `student`
        is None where a notice took the child's place. `mind` is not kept where the conversation has ended meanwhile, or
        somebody in it was forgotten, so that the `mind_before` that was read is there no more. With `then` the claim
        goes on waiting, for what another child says. Raises `StoreError` when the claim is not waiting for an answer:
        it was answered, given up, or its author asked to be forgotten."""
        async with self._database.writing() as connection:
            await claims.answered(connection, claim_key, conversation_id, then and as_json(then))
            return await turns.log(connection, conversation_id, teacher, student, mind, mind_before)

    @whole
    async def turns(self, conversation_id: int, limit: int) -> list[TurnRow]:
        """The last `limit` turns of a conversation, newest last, without forgotten ones."""
        async with self._database.reading() as connection:
            return await turns.last(connection, conversation_id, limit)

    @whole
    async def find_turn(self, platform_message_id: str) -> TurnRow | None:
        """The turn that was said in this message, or None. The id is unique over platforms and channels (Slack's
        alone is not): the edge that gives it puts both into it."""
        async with self._database.reading() as connection:
            return await turns.find(connection, platform_message_id)

    async def spent(self, since: datetime, author_hash: str) -> tuple[float, float]:
        """US dollars since that time, where the price was known: of everybody, and of the answers to one person."""
        async with self._database.reading() as connection:
            return await turns.spent(connection, since, author_hash)

    def turns_stream(
        self, *, forgotten: bool = False, within: Sequence[int] = EVERYWHERE
    ) -> AsyncIterator[LoggedTurn]:
        """Every turn that is not blank, conversation by conversation in order (those of `within`), in constant memory;
        with `forgotten`, blank ones of who was forgotten, too. Nothing stays open between two."""
        return turns.stream(self._database, self._work, within, forgotten=forgotten)

    # What people think of it, and what they allow.

    @whole
    async def add_feedback(
        self, turn_id: int, author_hash: str, kind: FeedbackKind, text: str | None = None
    ) -> None:
        """Note one person's judgement of a turn; saying it again replaces it, and up replaces down.

        Raises `StoreError` for no such turn.
        """
        async with self._database.writing() as connection:
            await opinions.judge(connection, turn_id, author_hash, kind, text)

    @whole
    async def take_back_feedback(self, turn_id: int, author_hash: str, kind: FeedbackKind) -> bool:
        """Remove one person's judgement of that kind from a turn; False when there is none."""
        async with self._database.writing() as connection:
            return await opinions.take_back(connection, turn_id, author_hash, kind)

    @whole
    async def add_rating(  # noqa: PLR0913 - one per column
        self,
        conversation_id: int,
        author_hash: str,
        scores: Mapping[str, int],
        comment: str | None = None,
        *,
        model: str | None = None,
        model_version: str | None = None,
    ) -> int:
        """Note one person's rating of a conversation: 1 to 5 for each line of the rubric; give its id.

        `model` and `model_version` say who was rated. Raises `StoreError` for other scores or no such
        conversation.
        """
        async with self._database.writing() as connection:
            named = {"model": model, "model_version": model_version}
            return await opinions.rate(connection, conversation_id, author_hash, scores, comment, **named)

    @whole
    async def ratings(self, conversation_id: int) -> list[RatingRow]:
        """Every rating of a conversation, oldest first."""
        async with self._database.reading() as connection:
            return await opinions.rated(connection, conversation_id)

    @whole
    async def set_consent(self, author_hash: str, consent: Consent) -> None:
        """Note that a person gave or took back consent; earlier answers stay as history.
        Who takes it back leaves all candidates and harvested files; the next harvest cleans what cannot be written.
        """
        async with self._database.writing() as connection:
            await consents.add(connection, author_hash, consent)
            left = consent is Consent.OFF and await leaving.withdraw(connection, author_hash)
        if left:
            with contextlib.suppress(OSError, ValueError):
                await self._bury()

    @whole
    async def consent(self, author_hash: str) -> Consent | None:
        """The person's newest answer, or None who never gave one."""
        async with self._database.reading() as connection:
            return await consents.newest(connection, author_hash)

    # What a person may ask for.

    @whole
    async def export(self, author_hash: str) -> dict[str, Any]:
        """Give everything kept of a person, ready for JSON: their turns with the answers they got, their
        feedback, ratings, consents, and messages still waiting.
        """
        async with self._database.reading() as connection:
            return await person.export(connection, author_hash)

    @whole
    async def forget(self, author_hash: str) -> ForgetReport:
        """Remove everything that says what a person said or that it was them; count the rows.

        Turns stay as blank rows, so that costs and counts stay true. Blanked with them: the child's answers,
        which repeat names and words; the child's state in conversations they took part in; and messages still
        waiting, which are given up. A conversation in which nobody else spoke loses its place. On SQLite the
        bytes are overwritten as well. Candidates for training with the person in them are blanked, and leave
        the harvested files; the backups lose the person's rows like the database.
        Raises `StoreError`, also when something beside the database could not be cleaned: do it again then.
        """
        async with self._database.writing() as connection:
            report, keys = await person.forget(connection, author_hash)
        await self._database.scrub()
        try:
            gone = await self._bury()
            models = harvested.learned(self._data, keys) if self._data and keys else []
        except (OSError, ValueError) as error:
            raise StoreError(
                f"{self._data}: the database has forgotten, but a harvested file could not be cleaned ({error}); "
                "forget again once it can be written"
            ) from None
        copies = await backups.forget(self._backups, author_hash) if self._backups else BackupsReport()
        return dataclasses.replace(
            report, harvested_lines=gone, models=tuple(models), backups=copies.cleaned, damaged=copies.damaged
        )

    @whole
    async def unsay(self, message_id: str) -> int:
        """Blank what was said in a message that was deleted, and the answer to it, but not in copies; gives how many
        turns that were."""
        async with self._database.writing() as connection:
            gone = await unsaying.unsay(connection, message_id)
        if gone:
            await self._database.scrub()
            with contextlib.suppress(OSError, ValueError):  # as when consent is taken back
                await self._bury()
        return gone

    async def _bury(self) -> int:
        """Take whoever left out of the harvested files; gives how many lines went. Raises `OSError`, `ValueError`."""
        day, left = datetime.now(UTC).date().isoformat(), await self.candidates.left()
        return await asyncio.to_thread(harvested.bury, self._data, left, day) if self._data else 0

    # Upkeep, by schedule.

    @whole
    async def purge(self, before: datetime) -> PurgeReport:
        """Delete what was said, rated, claimed and harvested before that time; on PostgreSQL whole months at once."""
        dropped = await months.drop_before(self._database, before)
        async with self._database.writing() as connection:
            report = await upkeep.purge(connection, before)
        await self._database.scrub()
        return dataclasses.replace(report, turns=report.turns + dropped)

    @whole
    async def prepare_months(self) -> int:
        """Make the turns' partitions of the months to come, on PostgreSQL; count those made."""
        return await months.prepare(self._database)

    @whole
    async def back_up(self, keep: int) -> tuple[Path, int]:
        """Write one more compact copy and remove the oldest above `keep`; gives it and their number. SQLite only."""
        if self._backups is None:
            raise StoreError(f"{self._database.name}: no folder was given for backups")
        return await backups.make(self._database, self._backups, keep)
