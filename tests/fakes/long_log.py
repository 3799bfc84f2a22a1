"""A long practice log, made inside the database by a few statements: numbers and phrases put together, for measuring.

The last day is the same whatever the length: so many turns, by as many people. Everybody says about a thousand turns,
a conversation has twenty, a channel ten conversations. Good for nothing else.
"""

# ruff: noqa: S608 - of constants and numbers alone
from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from bot.store import Store, months
from bot.store.months import Month

A_CONVERSATION = 20
A_PERSON = 1000
A_ROOM = 10
A_DAY = 2000
DAYS = 365
LESSON = "2.NBT.B.5-subtract"

NAMES = "Ana Ben Carla Dev Elif Finn Gus Hana Ines Jo Kai Lena Mo Nia Omar Pia Raj Sol Tess Uma".split()
THINGS = "apples marbles stickers shells cubes pencils cards buttons crayons rocks beans books leaves coins".split()
PLACES = "on the rug,at recess,in a jar,under the desk,on the bus,by the pond,in two bags,on a tray".split(
    ","
)


def _pick(words: list[str], divisor: int) -> str:
    """One of the words, by the row's mixed number."""
    cases = " ".join(f"WHEN {place} THEN '{word}'" for place, word in enumerate(words))
    return f"(CASE (h / {divisor}) % {len(words)} {cases} END)"


NAME, THING, PLACE = _pick(NAMES, 7), _pick(THINGS, 1009), _pick(PLACES, 65_537)
ASK = f"""(CASE h % 5
    WHEN 0 THEN {NAME} || ' has ' || a || ' ' || {THING} || ' ' || {PLACE} || ' and gives away ' || b || '. How many?'
    WHEN 1 THEN 'What is ' || a || ' minus ' || b || ', ' || {NAME} || ' wants to know ' || {PLACE} || '?'
    WHEN 2 THEN 'There were ' || a || ' ' || {THING} || ' ' || {PLACE} || ', then ' || b || ' rolled off. How many now?'
    WHEN 3 THEN 'Can you take ' || b || ' ' || {THING} || ' from ' || a || ' ' || {THING} || ' for ' || {NAME} || '?'
    ELSE 'If ' || {NAME} || ' needs ' || a || ' ' || {THING} || ' and has ' || b || ', how many more ' || {PLACE} || '?'
    END)"""
SAY = _pick(["It''s ", "", "I think ", "I got ", "Um, ", "Is it "], 13) + " || (a - b) || '.'"
THOUGHT = (
    """'{"kind": "answer", "answer": "' || (a - b) || '", "misconception": "smaller-from-larger", "stage": "holds","""
    """ "words": 2, "mood": "fine"}'"""
)
MIND = "'{\"beliefs\": {\"smaller-from-larger\": ' || repeated || '}}'"
COLUMNS = (
    "conversation_id, number, role, content, said_at, author_hash, platform_message_id, move, thought, voiced, model,"
    " model_version, prompt_version, child, lesson, seed, cost_usd, latency_ms, consent, mind"
)
ROWS = f"""
SELECT i / {A_CONVERSATION} + 1, i % {A_CONVERSATION} + 1,
    CASE WHEN asks THEN 'teacher' ELSE 'student' END, CASE WHEN asks THEN {ASK} ELSE {SAY} END, said_at,
    CASE WHEN asks THEN person END, 'discord:' || i, CASE WHEN asks THEN 'asks' END,
    CASE WHEN asks THEN NULL ELSE JSON END, CASE WHEN asks THEN NULL ELSE 'model' END,
    CASE WHEN asks THEN NULL ELSE 'base' END, CASE WHEN asks THEN NULL ELSE '1' END,
    CASE WHEN asks THEN NULL ELSE '3' END, CASE WHEN asks THEN NULL ELSE 'mia' END,
    CASE WHEN asks THEN NULL ELSE '{LESSON}' END, CASE WHEN asks THEN NULL ELSE 7 END,
    CASE WHEN asks THEN NULL ELSE 0.00001 END, CASE WHEN asks THEN NULL ELSE 700 END, 'on',
    CASE WHEN asks THEN {MIND} END
FROM said"""


async def fill(url: str, turns: int, now: datetime, *, a_person: int = A_PERSON, over: int = DAYS) -> str:
    """Fill a new database with that many turns, a multiple of `A_CONVERSATION` above `A_DAY`, `a_person` by each, said
    over so many days and the last one; give the hash of one teacher."""
    await (await Store.open(url)).aclose()
    engine = create_async_engine(url)
    rooms, people = max(1, turns // A_CONVERSATION // A_ROOM), max(1, turns // a_person)
    talks = turns // A_CONVERSATION
    days = f"CASE WHEN c < {talks - A_DAY // A_CONVERSATION} THEN c * {over * 86400 / talks}"
    seconds = f"(CAST({days} ELSE {over * 86400} + (c % 100) * 600 END AS INTEGER) + n * 20)"
    begin = (now - timedelta(days=over + 2)).replace(hour=0, minute=0, second=0, microsecond=0)
    postgres = engine.dialect.name == "postgresql"
    if postgres:
        numbers = f"SELECT g AS i FROM generate_series(0::bigint, {turns - 1}) AS g"
        said_at = f"'{begin.isoformat()}'::timestamptz + {seconds} * interval '1 second'"
        json, repeated = f"({THOUGHT})::json", "repeat('\"holds\", ', 20)"
    else:
        numbers = f"SELECT 0 AS i UNION ALL SELECT i + 1 FROM numbers WHERE i < {turns - 1}"
        epoch = int(begin.timestamp())
        said_at = f"strftime('%Y-%m-%d %H:%M:%S.000000', {epoch} + {seconds}, 'unixepoch')"
        json, repeated = f"({THOUGHT})", "replace(hex(zeroblob(20)), '00', '\"holds\", ')"
    said = f"""
        WITH RECURSIVE numbers AS ({numbers}),
        placed AS (SELECT i, i / {A_CONVERSATION} AS c, i % {A_CONVERSATION} AS n,
            (i / 2 * 2654435761) % 4294967296 AS h FROM numbers),
        said AS (SELECT i, c, h, n % 2 = 0 AS asks, 21 + h % 79 AS a, 3 + (h / 128) % 18 AS b,
            'person' || (c % {people}) AS person, {said_at} AS said_at, {repeated} AS repeated FROM placed)"""
    statements = [
        "INSERT INTO conversations (platform, channel, thread, turns, created_at, updated_at, ended_at, spoken_at)"
        f"{said} SELECT 'discord', 'room' || (c % {rooms}), '', {A_CONVERSATION}, said_at, said_at,"
        f" CASE WHEN c < {talks - rooms} THEN said_at END, said_at FROM said WHERE i % {A_CONVERSATION} = 0 ORDER BY i",
        f"INSERT INTO turns ({COLUMNS}) {said} {ROWS.replace('JSON', json)}",
        "INSERT INTO claims (message_key, conversation_id, claimed_at, state)"
        f"{said} SELECT 'discord:' || i, i / {A_CONVERSATION} + 1, said_at, 'answered' FROM said WHERE asks",
        "INSERT INTO consents (author_hash, state, at) SELECT author_hash, CASE WHEN author_hash LIKE '%9' THEN 'off'"
        " ELSE 'on' END, min(said_at) FROM turns WHERE author_hash IS NOT NULL GROUP BY author_hash",
        "INSERT INTO feedback (turn_id, author_hash, kind, at) SELECT id, 'person' || id % 7, 'up', said_at FROM turns"
        " WHERE role = 'student' AND id % 100 = 0",
        "INSERT INTO ratings (conversation_id, author_hash, scores, at)"
        " SELECT id, 'person' || id % 7, '{\"childlike\": 4}', created_at FROM conversations WHERE id % 50 = 0",
        "INSERT INTO assignments (platform, channel, scenario) SELECT DISTINCT 'discord', channel, 'first-steps'"
        " FROM conversations WHERE id <= 20",
    ]
    async with engine.begin() as connection:
        indexed = await _months(connection, begin, now) if postgres else []
        # Past SQLAlchemy's text, to which a colon is a parameter's beginning.
        for statement in (*statements[:2], *indexed, *statements[2:]):
            await connection.exec_driver_sql(statement)
    async with engine.connect() as connection:
        autocommit = await connection.execution_options(isolation_level="AUTOCOMMIT")
        await autocommit.exec_driver_sql("VACUUM ANALYZE" if postgres else "ANALYZE")
    await engine.dispose()
    return f"person{people // 2}"


async def _months(connection: AsyncConnection, begin: datetime, now: datetime) -> list[str]:
    """The partitions of a log that has been written month by month, bare; gives what indexes them once they are full.
    Needs a user who may do anything there."""
    first, last = Month.of(begin).number, Month.of(now).number
    await months.make(connection, [Month(number) for number in range(first, last + 1)])
    await connection.exec_driver_sql("SET LOCAL session_replication_role = replica")  # no keys are looked up
    await connection.exec_driver_sql("ALTER TABLE turns DROP CONSTRAINT pk_turns")
    found = await connection.exec_driver_sql(
        "SELECT indexname, replace(indexdef, 'ON ONLY', 'ON') AS made FROM pg_indexes"
        " WHERE tablename = 'turns' OR indexname LIKE 'uq_turns_%_number'"
    )
    indexes = found.all()
    for index in indexes:
        await connection.exec_driver_sql(f"DROP INDEX {index.indexname}")
    return [
        "ALTER TABLE turns ADD CONSTRAINT pk_turns PRIMARY KEY (id, said_at)",
        *(index.made for index in indexes),
    ]
