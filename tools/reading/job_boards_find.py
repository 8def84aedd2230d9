"""Which job board is a company's. A link on its own pages says so; a guessed name must be proven, for namesakes abound."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from tools.base import FailureKind, SourceError
from tools.fetching import Door
from tools.reading.job_boards_read import HOSTS, SERVICES, Board, Service, boards_named_in
from tools.reading.jobs import one_line
from tools.reading.namesakes import label_of, name_words, named_in, same_name, site_in, site_of, squeezed

MOST_REQUESTS: Final = 8
_CAREERS: Final = ("careers", "jobs")
_MOST_LINKS: Final = 3
"""A page that links to more boards than this lists other companies' positions."""


@dataclass(frozen=True)
class Found:
    """A board that is the company's."""

    service: Service
    token: str
    board: Board


@dataclass
class Finder:
    """One search. It counts its requests, and remembers what it tried and what failed."""

    door: Door
    company: str
    domain: str
    services: Sequence[Service]
    left: int = MOST_REQUESTS
    tried: list[str] = field(default_factory=list)
    failures: list[SourceError] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    async def named(self, token: str) -> Found:
        """The board that the caller named. Raises SourceError."""
        found = await self._first((service, token) for service in self.services)
        return found or self._give_up()

    async def search(self, token: str = "") -> Found:
        """The board of the company, wherever it is. Raises SourceError."""
        if not token and self.domain:
            found = await self._first(await self._linked())
            if found is not None:
                return found
        for guess in [token] if token else self._guesses():
            for service in self.services:
                found = await self._open(service, guess)
                if found is not None and await self._is_theirs(found):
                    return found
        return self._give_up()

    async def _first(self, boards: Iterator[tuple[Service, str]]) -> Found | None:
        for service, token in boards:
            found = await self._open(service, token)
            if found is not None:
                return found
        return None

    async def _open(self, service: Service, token: str) -> Found | None:
        """The board of this name; None when there is none, when it could not be read, or when enough was asked."""
        if self.left <= 0:
            return None
        self.left -= 1
        self.tried.append(f"{service.label} {token}")
        address = service.at(service.api, token)
        try:
            page = await self.door.get(address, service.params or None)
            if urlsplit(page.url).hostname != urlsplit(address).hostname:  # moved away: no such board here
                return None
            # Megabytes of postings are read beside the loop, not in it.
            return Found(service, token, await asyncio.to_thread(lambda: service.read(page.json())))
        except SourceError as exc:
            if exc.kind is not FailureKind.NOT_FOUND:
                self.failures.append(exc)
            return None

    async def _linked(self) -> Iterator[tuple[Service, str]]:
        """The boards that the company's careers pages link to."""
        seen: dict[tuple[str, str], None] = {}
        for path in _CAREERS:
            self.left -= 1
            try:
                page = await self.door.get(f"https://{self.domain}/{path}", robots=True, accept="text/html")
            except SourceError as exc:
                if exc.kind is not FailureKind.NOT_FOUND:
                    self.remarks.append(f"its page /{path} could not be read: {exc.kind.value}")
                if exc.kind in (FailureKind.UNREACHABLE, FailureKind.TIMEOUT):
                    break  # the site is down: its other page is too
                continue
            where = site_of(page.url)
            text = page.text() if where == site_of(self.domain) else ""
            seen |= dict.fromkeys(boards_named_in(f"{page.url}\n{text}"))
            if seen:
                break
        wanted = [(s, t) for s, t in seen if any(s == service.name for service in self.services)]
        likely = [(s, t) for s, t in wanted if _resembles(t, self.company, self.domain)]
        chosen = likely or (wanted if len(wanted) <= _MOST_LINKS else [])
        return ((service, t) for s, t in chosen[:_MOST_LINKS] for service in self.services if service.name == s)

    def _guesses(self) -> list[str]:
        """Names under which the company may have a board."""
        own = label_of(site_of(self.domain))
        names = (own, squeezed(self.company), "-".join(name_words(self.company)))
        return list(dict.fromkeys(n for n in names if len(n) > 1 and n.isascii()))

    async def _is_theirs(self, found: Found) -> bool:
        """Whether a board of a guessed name is the company's own."""
        board, site = found.board, site_of(self.domain)
        if site:
            own = {host for p in board.postings if (host := site_of(p.url)) not in HOSTS}
            linked = {host for p in board.postings for host in p.sites} - HOSTS
            if site in own | linked or any(site_in(p.text, site) for p in board.postings):
                return True
            if own or any(label_of(host) == label_of(site) for host in linked):
                return self._refused(found)
        owner = board.owner
        if not owner and found.service.about:
            owner = await self._owner(found)
        if owner:
            return same_name(owner, self.company) or self._refused(found, owner)
        named = sum(named_in(p.text, self.company) for p in board.postings)
        return 0 < len(board.postings) <= named * 2 or self._refused(found)

    async def _owner(self, found: Found) -> str:
        if self.left <= 0:
            return ""
        self.left -= 1
        try:
            about = await self.door.get_json(found.service.at(found.service.about, found.token))
        except SourceError as exc:
            if exc.kind is not FailureKind.NOT_FOUND:
                self.failures.append(exc)
            return ""
        return one_line(about.get("name"))

    def _refused(self, found: Found, owner: str = "") -> bool:
        whose = f"is {owner}'s" if owner else f"is not certainly {self.company}'s"
        self.remarks.append(f"the {found.service.label} board {found.token} {whose}")
        return False

    def _give_up(self) -> Found:
        """Raises SourceError: what failed, or that no board was found where it was looked for."""
        if self.failures:
            raise self.failures[0]
        tried = ", ".join(dict.fromkeys(self.tried)) or "nothing: no name to try"
        remarks = f" ({'; '.join(self.remarks)})" if self.remarks else ""
        said = f"No public job board of {self.company} was found. Tried: {tried}{remarks}. This is not to say that it has no jobs."
        raise SourceError(FailureKind.NOT_FOUND, said)


def services_for(board: str) -> tuple[Service, ...]:
    """The services that an argument means: one by its name, or all of them."""
    return tuple(s for s in SERVICES if board in ("auto", s.name))


def _resembles(token: str, company: str, domain: str) -> bool:
    """Whether a board's name is made of the company's name or of its domain's."""
    plain, own = squeezed(token), label_of(site_of(domain))
    return any(
        len(n) > 1 and (n in plain or (len(plain) > 2 and plain in n)) for n in (squeezed(company), squeezed(own))
    )
