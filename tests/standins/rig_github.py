"""GitHub's REST API, as its documentation shows it: a search for users, an organisation, its repositories."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from tests.standins.http_rig import HttpRig
from tests.standins.web_server import Asked, Told, told
from tools.github import GitHub, GitHubArgs

MISSING = told({"message": "Not Found", "documentation_url": "https://docs.github.com/rest", "status": "404"}, 404)


def org(login: str = "acme", **more: Any) -> dict[str, Any]:
    """An organisation."""
    return {
        "login": login,
        "id": 4_200_001,
        "url": f"https://api.github.com/orgs/{login}",
        "description": "Anvils, and software for them.",
        "name": "Acme",
        "company": None,
        "blog": "https://www.acme.example/",
        "location": "Rotterdam",
        "email": "jane.doe@acme.example",
        "twitter_username": None,
        "is_verified": True,
        "public_repos": 42,
        "followers": 900,
        "html_url": f"https://github.com/{login}",
        "created_at": "2014-01-09T16:56:17Z",
        "updated_at": "2026-10-01T08:00:00Z",
        "archived_at": None,
        "type": "Organization",
        **more,
    }


def repo(name: str, language: str | None = "Python", stars: int = 3, **more: Any) -> dict[str, Any]:
    """A repository."""
    return {
        "id": 7,
        "name": name,
        "full_name": f"acme/{name}",
        "private": False,
        "owner": {"login": "acme", "type": "Organization"},
        "html_url": f"https://github.com/acme/{name}",
        "description": f"The {name} of Acme.",
        "fork": False,
        "created_at": "2019-03-01T10:00:00Z",
        "updated_at": "2026-11-02T10:00:00Z",
        "pushed_at": "2026-11-01T10:00:00Z",
        "homepage": "",
        "stargazers_count": stars,
        "language": language,
        "archived": False,
        "license": {"key": "mit", "name": "MIT License", "spdx_id": "MIT"},
        "topics": [],
        **more,
    }


def found(*logins: str) -> Told:
    """A search's reply."""
    items = [{"login": login, "id": i, "type": "Organization", "score": 1.0} for i, login in enumerate(logins)]
    return told({"total_count": len(items), "incomplete_results": False, "items": items})


REPOSITORIES = [
    repo("anvil", "Python", 1_204),
    repo("hammer", "Go", 80, pushed_at="2026-11-18T09:00:00Z", created_at="2026-09-05T09:00:00Z", license=None),
    repo("bellows", "Python", 5, description=None),
    repo("linux", "C", 9, fork=True),
    repo("old", "Perl", 400, archived=True),
]


class GitHubRig(HttpRig):
    """One organisation, found by the company's name and proven by its domain."""

    requests_per_fetch = 3
    values: ClassVar[Mapping[str, str]] = {"github_token": HttpRig.secret}

    @staticmethod
    def kind() -> type[GitHub]:
        return GitHub

    @staticmethod
    def arguments() -> GitHubArgs:
        return GitHubArgs(company="Acme", domain="acme.example")

    @staticmethod
    def world(asked: Asked) -> Told:
        assert asked.host == "api.github.com"
        match asked.path:
            case "/search/users":
                return found("acme")
            case "/orgs/acme":
                return told(org())
            case "/orgs/acme/repos":
                return told(REPOSITORIES)
        return MISSING

    @staticmethod
    def empty(asked: Asked) -> Told:
        return found()


RIGS = {"github": GitHubRig}
