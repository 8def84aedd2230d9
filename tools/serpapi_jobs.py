"""Google Jobs through SerpAPI, over the google-search-results client. Paid: one price per search."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from pydantic import Field, field_validator
from typing_extensions import override

from tools.base import Frozen, SourceReply, SubjectHint
from tools.reading.serpapi_jobs_reply import LICENCE, read_jobs
from tools.reading.serpapi_names import LONGEST_NAME, MOST_ALIASES, aliases_of
from tools.serpapi_source import SerpApiSource, one_line


class JobsArgs(Frozen):
    """Open positions of one company."""

    company: str = Field(
        min_length=1, max_length=LONGEST_NAME, description="The employer's name; postings of others are left out."
    )
    also_known_as: tuple[str, ...] = Field(
        (), max_length=MOST_ALIASES, description="Other names under which the same employer posts."
    )
    role: str = Field("", max_length=100, description="Words of the title to narrow to, such as `data engineer`.")
    location: str = Field(
        "", max_length=100, description="Where to search from, city first: `Berlin, Germany`. Empty: the United States."
    )

    @field_validator("company")
    @classmethod
    def _one_spelling(cls, value: str) -> str:
        return one_line(value.replace('"', " "), "the company has no name")

    @field_validator("role", "location")
    @classmethod
    def _no_spare_space(cls, value: str) -> str:
        return " ".join(value.split())


class SerpApiJobs(SerpApiSource[JobsArgs]):
    """Google Jobs."""

    name = "serpapi_jobs"
    title = "Google Jobs (SerpAPI)"
    description = (
        "Up to ten open positions of a company, with what their postings say of its tools. Paid per search; worth it "
        "when the company's own job board is not known."
    )
    Args = JobsArgs
    datasets: ClassVar[Mapping[str, float]] = {"hiring": 0.6, "technology": 0.3}
    # Google gathers postings from boards and other gatherers: some are stale, some are not the employer's own.
    reliability = 0.6
    latency = 2.0
    licence = LICENCE

    @override
    def suggest(self, subject: SubjectHint, dataset: str, question: str) -> Sequence[JobsArgs]:
        """The name; the same call serves both datasets."""
        plain = " ".join(subject.name.replace('"', " ").split())[:LONGEST_NAME]
        if dataset not in self.datasets or not plain:
            return ()
        return (JobsArgs(company=plain, also_known_as=aliases_of(subject)),)

    async def fetch(self, args: JobsArgs) -> SourceReply:
        """One search, once: the first page of results."""
        query = " ".join(word for word in (f'"{args.company}"', args.role, "jobs") if word)
        params = {"engine": "google_jobs", "q": query, "hl": "en", "gl": "us"}
        if args.location:
            params["location"] = args.location
        reply = await self._api.search(params)
        return self._reply(reply, read_jobs(reply, [args.company, *args.also_known_as], query))


SOURCES = (SerpApiJobs,)
