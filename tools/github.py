"""What a company builds in public: its organisation on GitHub, the languages and the repositories of it. Free."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from typing import ClassVar
from urllib.parse import quote

from pydantic import Field, JsonValue
from typing_extensions import override

from tools.base import FailureKind, Frozen, Pace, SourceError, SourceReply, SubjectHint
from tools.http_source import HttpSource
from tools.reading.github_read import Organisation, documents, organisation, repositories
from tools.reading.namesakes import label_of, same_name, site_of, squeezed
from tools.web.page import Page, seconds_of

_API = "https://api.github.com"
_PAGE = 100
_MOST_CANDIDATES = 2
_NO_WORD = re.compile(r"[^\w.&+' -]+")
_TOKENLESS = Pace(per_second=60 / 3600, burst=60, at_once=2)
_WITH_TOKEN = Pace(per_second=5_000 / 3600, burst=100, at_once=2)


class GitHubArgs(Frozen):
    """An organisation by its login, or a company to look for."""

    organisation: str = Field(
        "", max_length=100, pattern=r"^[A-Za-z0-9_-]*$", description="Login of the organisation on GitHub, if known; else empty."
    )  # fmt: skip
    company: str = Field("", max_length=200, description="The company's name; needed when no organisation is given.")
    domain: str = Field("", max_length=253, description="The company's web domain, for example acme.com, if known.")


class GitHub(HttpSource[GitHubArgs]):
    """Organisations on GitHub."""

    name = "github"
    title = "GitHub"
    description = (
        "A company's public repositories: how many, in which languages, the best known and the newest ones. It answers only "
        "for an organisation that is certainly the company's. Free."
    )
    Args = GitHubArgs
    datasets: ClassVar[Mapping[str, float]] = {"technology": 0.6, "products": 0.15, "news": 0.1}
    reliability = 0.95
    latency = 1.5
    timeout = 30.0
    licence = "Public facts from GitHub's API under its terms of service; each repository has a licence of its own."
    homepage = "https://docs.github.com/rest"
    paces: ClassVar[Mapping[str, Pace]] = {"github.com": _TOKENLESS}
    needs = "works without a key, 60 requests an hour; 5,000 with GITHUB_TOKEN"

    @property
    def _token(self) -> str:
        return self.env.values.get("github_token", "").strip()

    @property
    @override
    def own_paces(self) -> Mapping[str, Pace]:
        """With a token it may be asked much more often."""
        return {"github.com": _WITH_TOKEN} if self._token else self.paces

    @override
    def suggest(self, subject: SubjectHint, dataset: str, question: str) -> Sequence[GitHubArgs]:
        """The company by its name and domain: one call serves every dataset."""
        name = " ".join(subject.name.split())[:200]
        if dataset not in self.datasets or not name:
            return ()
        return (GitHubArgs(organisation="", company=name, domain=subject.domain.strip()[:253]),)

    async def fetch(self, args: GitHubArgs) -> SourceReply:
        """At most four requests: a search, two candidates, the repositories of the one that it is."""
        company, site = " ".join(args.company.split()), site_of(args.domain)
        if args.organisation:
            org = await self._organisation(args.organisation)
            known = not company or _is_theirs(org, company, site) or same_name(org.name, company)
            note = "" if known else f"The organisation {org.login} calls itself {org.name}, not {company}."
            company = company if company and known else org.name
        elif company:
            found = await self._find(company, site)
            if found is None:
                return SourceReply(note=f"No organisation on GitHub is certainly {company}'s.")
            org = found
            note = (
                ""
                if site and site in (org.site, org.mail_host)
                else f"{org.login} was taken for {company} by its name."
            )
        else:
            raise SourceError(FailureKind.INVALID_ARGUMENTS, "Name a company, or an organisation on GitHub.")
        return await self._read(org, company, note)

    async def _read(self, org: Organisation, company: str, note: str) -> SourceReply:
        query: dict[str, str | int] = {"sort": "pushed", "per_page": _PAGE, "type": "public"}
        listed: list[JsonValue] = []
        try:
            page = await self._get(f"/orgs/{quote(org.login, safe='')}/repos", query)
            given = page.json()
            if not isinstance(given, list):
                raise SourceError(FailureKind.MALFORMED, "GitHub answered without a list of repositories.")
            listed = given
        except SourceError as exc:
            if not documents(company, org, [], whole=False):
                raise
            note = f"{note} The repositories could not be read: {exc.message}".strip()
        found = documents(company, org, repositories(listed), whole=len(listed) < _PAGE)
        own = {"origin": "github.com", "licence": self.licence}
        return SourceReply(documents=tuple(d.model_copy(update=own) for d in found), note=note)

    async def _find(self, company: str, site: str) -> Organisation | None:
        """The organisation that is certainly the company's, or none."""
        plain = " ".join(_NO_WORD.sub(" ", company).split()[:8])
        if not squeezed(plain):
            return None
        query: dict[str, str | int] = {"q": f"{plain[:100]} type:org", "per_page": 10}
        items = (await self._get("/search/users", query)).json_object().get("items")
        if not isinstance(items, list):
            raise SourceError(FailureKind.MALFORMED, "GitHub's search answered without a list.")
        logins = [login for i in items if isinstance(i, dict) and isinstance(login := i.get("login"), str) and login]
        if items and not logins:
            raise SourceError(FailureKind.MALFORMED, "None of GitHub's hits has the expected shape.")
        likely = tuple({squeezed(company), label_of(site)} - {""})
        # Stable: GitHub's own order decides between logins that are equally likely.
        logins.sort(key=lambda login: (squeezed(login) not in likely, not squeezed(login).startswith(likely)))
        failures = []
        weak: list[Organisation] = []
        for login in logins[:_MOST_CANDIDATES]:
            try:
                org = await self._organisation(login)
            except SourceError as exc:
                failures += [exc] if exc.kind is not FailureKind.NOT_FOUND else []
                continue
            if site and site in (org.site, org.mail_host):
                return org
            weak += [org] if _is_theirs(org, company, site) else []
        if not weak and failures:
            raise failures[0]
        return weak[0] if weak else None

    async def _organisation(self, login: str) -> Organisation:
        found = organisation((await self._get(f"/orgs/{quote(login, safe='')}")).json_object())
        if found is None:
            raise SourceError(FailureKind.MALFORMED, "GitHub answered without an organisation.")
        return found

    async def _get(self, path: str, params: Mapping[str, str | int] | None = None) -> Page:
        headers = {"X-GitHub-Api-Version": "2022-11-28"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        accept = "application/vnd.github+json"
        return await self.door.get(f"{_API}{path}", params, headers=headers, accept=accept, explain=self._explain)

    def _explain(self, status: int, headers: Mapping[str, str], body: str) -> SourceError | None:
        """GitHub's own refusals: both of its limits may come as 403."""
        if status == 401:
            what = (
                "does not accept GITHUB_TOKEN: renew it or unset it"
                if self._token
                else "wants a token: set GITHUB_TOKEN"
            )
            return SourceError(FailureKind.AUTH, f"GitHub {what}.")
        if status not in (403, 429):
            return None
        said = seconds_of(headers.get("retry-after"))
        if "secondary rate limit" in body.lower():
            rest = 60.0 if said is None else said
            return SourceError(FailureKind.RATE_LIMITED, "GitHub asks for fewer requests at a time.", retry_after=rest)
        if headers.get("x-ratelimit-remaining") == "0" or "rate limit exceeded" in body.lower():
            more = "" if self._token else " Set GITHUB_TOKEN for 5,000 requests an hour."
            wait = _until(headers.get("x-ratelimit-reset")) if said is None else said
            return SourceError(FailureKind.RATE_LIMITED, f"GitHub's limit is used up for now.{more}", retry_after=wait)
        return None


def _is_theirs(org: Organisation, company: str, site: str) -> bool:
    """Whether an organisation is the company's, by its site or, where it names none, by its name."""
    if site and site in (org.site, org.mail_host):
        return True
    if site and org.site:
        return False  # a namesake: it says where it lives, and that is elsewhere
    if not same_name(org.name, company):
        return False
    return org.verified or squeezed(org.login) in (squeezed(company), label_of(site))


def _until(reset: str | None) -> float | None:
    """Seconds until a time given in seconds since 1970."""
    return max(float(reset) - time.time(), 0.0) if reset is not None and re.fullmatch(r"\d{9,11}", reset) else None


SOURCES = (GitHub,)
