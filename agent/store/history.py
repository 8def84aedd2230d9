"""What became of calls, for the planner's priors: kept beside the ledger, whose own rows hold times, costs and failures."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlite_utils import Database as Tables

from agent.learning import Seen
from agent.store.database import Database

WINDOW = timedelta(days=90)
"""Older calls tell little about a source as it is now."""

_CALLS = """
select label, count(*) as calls, sum(failure is not null) as failures,
       sum(case when failure is null then ended_at - reserved_at else 0 end) as seconds,
       sum(case when failure is null then cost else 0 end) as cost
from calls
where state in ('settled', 'released', 'unknown') and reserved_at > ? and label not like 'model:%'
      and coalesce(json_extract(failure, '$.message'), '') <> ?
group by label
"""
_GAINS = """
select c.label, g.dataset, count(*) as tries, sum(g.hit) as hits
from gains g join calls c on c.call_id = g.call_id
where c.reserved_at > ? and c.failure is null
group by c.label, g.dataset
"""


class History:
    """Experience with sources, over the ledger's database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def note(self, call_id: str, hits: Mapping[str, bool]) -> None:
        """Whether a call filled a field of each dataset it was made for. Said twice, it counts once."""
        rows = [(call_id, dataset, int(hit)) for dataset, hit in hits.items()]

        def work(tables: Tables) -> None:
            # Nothing is returned: a cursor that dies on another thread disturbs the writer's connection.
            tables.conn.executemany("insert or ignore into gains (call_id, dataset, hit) values (?, ?, ?)", rows)

        await self._database.write(work)

    async def seen(self, now: datetime, *, never_made: str) -> dict[str, Seen]:
        """Experience by source; a call whose failure says `never_made` was none."""
        since = (now - WINDOW).timestamp()
        return await self._database.read(lambda t: _seen(t, since, never_made))


def _seen(tables: Tables, since: float, never_made: str) -> dict[str, Seen]:
    datasets: dict[str, dict[str, tuple[int, int]]] = {}
    for row in tables.conn.execute(_GAINS, (since,)):
        datasets.setdefault(row["label"], {})[row["dataset"]] = (row["tries"], row["hits"])
    return {
        row["label"]: Seen(row["calls"], row["failures"], row["seconds"], row["cost"], datasets.get(row["label"], {}))
        for row in tables.conn.execute(_CALLS, (since, never_made))
    }
