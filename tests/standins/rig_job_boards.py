"""The public boards of Greenhouse, Lever, Ashby and Recruitee, in the shapes that their makers document."""

from __future__ import annotations

import html
from typing import Any

from tests.standins.http_rig import HttpRig
from tests.standins.web_server import Asked, Told, told
from tools.job_boards import JobBoards, JobBoardsArgs

ABOUT = "<p>Acme makes anvils in Rotterdam.</p>"


def greenhouse_job(number: int, title: str, content: str = ABOUT, **more: Any) -> dict[str, Any]:
    """A posting on Greenhouse."""
    return {
        "id": number,
        "internal_job_id": number + 1_000,
        "title": title,
        "updated_at": "2026-11-10T08:00:00-05:00",
        "first_published": "2026-10-01T08:00:00-05:00",
        "requisition_id": f"R-{number}",
        "location": {"name": "Berlin"},
        "absolute_url": f"https://job-boards.greenhouse.io/acme/jobs/{number}",
        "company_name": "Acme ",
        "metadata": None,
        "language": "en",
        "content": html.escape(content),
        "departments": [{"id": 1, "name": "Technology", "parent_id": None, "child_ids": []}],
        "offices": [{"id": 2, "name": "Berlin", "location": "Berlin, Germany"}],
        **more,
    }


def greenhouse(*jobs: dict[str, Any]) -> Told:
    """A board on Greenhouse."""
    return told({"jobs": list(jobs), "meta": {"total": len(jobs)}})


def lever_job(title: str, **more: Any) -> dict[str, Any]:
    """A posting on Lever; the times are milliseconds."""
    return {
        "id": "5ac21346-8e0c-4494-8e7a-3eb92ff77902",
        "text": title,
        "categories": {"commitment": "Permanent", "department": "Product", "location": "Lisbon", "team": "Core"},
        "country": "PT",
        "workplaceType": "hybrid",
        "createdAt": 1_793_000_000_000,
        "description": ABOUT,
        "descriptionPlain": "Acme makes anvils in Rotterdam.",
        "lists": [{"text": "What you bring", "content": "<li>Tableau</li><li>SQL and <b>dbt</b></li>"}],
        "additional": "<div>Apply within.</div>",
        "hostedUrl": "https://jobs.lever.co/acme/5ac21346-8e0c-4494-8e7a-3eb92ff77902",
        "applyUrl": "https://jobs.lever.co/acme/5ac21346-8e0c-4494-8e7a-3eb92ff77902/apply",
        **more,
    }


def ashby_job(title: str, **more: Any) -> dict[str, Any]:
    """A posting on Ashby."""
    return {
        "id": "145ff46b-1441-4773-bcd3-c8c90baa598a",
        "title": title,
        "department": "Engineering",
        "team": "Platform",
        "employmentType": "FullTime",
        "location": "Toronto",
        "secondaryLocations": [],
        "publishedAt": "2026-11-12T16:21:55.393+00:00",
        "isListed": True,
        "isRemote": True,
        "jobUrl": "https://jobs.ashbyhq.com/acme/145ff46b-1441-4773-bcd3-c8c90baa598a",
        "applyUrl": "https://jobs.ashbyhq.com/acme/145ff46b-1441-4773-bcd3-c8c90baa598a/application",
        "descriptionHtml": f"{ABOUT}<p>We run Kubernetes.</p>",
        "descriptionPlain": "Acme makes anvils in Rotterdam. We run Kubernetes.",
        "compensation": {"compensationTierSummary": None, "compensationTiers": [], "summaryComponents": []},
        **more,
    }


def recruitee_offer(title: str, **more: Any) -> dict[str, Any]:
    """An offer on Recruitee."""
    return {
        "id": 900_001,
        "slug": "anvil-engineer",
        "title": title,
        "status": "published",
        "department": "Engineering",
        "location": "Utrecht, Netherlands",
        "city": "Utrecht",
        "company_name": "Acme",
        "mailbox_email": "job.1a2b@acme.recruitee.com",
        "careers_url": "https://acme.recruitee.com/o/anvil-engineer",
        "careers_apply_url": "https://acme.recruitee.com/o/anvil-engineer/c/new",
        "description": ABOUT,
        "requirements": "<ul><li>TypeScript</li></ul>",
        "created_at": "2026-09-01 09:00:00 UTC",
        "published_at": "2026-10-03 09:30:00 UTC",
        **more,
    }


class JobBoardsRig(HttpRig):
    """A Greenhouse board of two positions, asked by its name."""

    requests_per_fetch = 1

    @staticmethod
    def kind() -> type[JobBoards]:
        return JobBoards

    @staticmethod
    def arguments() -> JobBoardsArgs:
        return JobBoardsArgs(board="greenhouse", token="acme", company="Acme", domain="acme.example")

    @staticmethod
    def world(asked: Asked) -> Told:
        assert asked.host == "boards-api.greenhouse.io"
        stack = f"{ABOUT}<p>We use Snowflake, dbt &amp; Airflow.</p>"
        return greenhouse(
            greenhouse_job(1, "Senior Data Engineer", stack), greenhouse_job(2, "Director of Data Platform")
        )

    @staticmethod
    def empty(asked: Asked) -> Told:
        return greenhouse()


RIGS = {"job_boards": JobBoardsRig}
