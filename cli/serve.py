"""serve: the application behind uvicorn, with an end that lets go of event streams and begins to drain at once."""

from __future__ import annotations

import asyncio
import logging
import math
import signal
import socket
from types import FrameType

import uvicorn
from fastapi import FastAPI

from agent.checkpoints import NAME, open_saver
from agent.scrub import Scrubber, set_up_logging
from agent.services import open_services
from agent.settings import Settings
from cli.doctor import bind, is_loopback
from cli.lists import source_lines
from cli.output import say, tell
from cli.words import plain
from server import create_app

logger = logging.getLogger(__name__)

GRACE = 5
"""Seconds beyond the drain that open connections may take to close."""


class Server(uvicorn.Server):
    """A uvicorn server that tells the application at the signal, not when the last connection has gone."""

    def __init__(self, config: uvicorn.Config, app: FastAPI, banner: list[str], drain: float) -> None:
        super().__init__(config)
        self._app, self._banner, self._drain = app, banner, drain
        self._loop: asyncio.AbstractEventLoop | None = None
        self._draining: asyncio.Task[None] | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """As ever; then say where it listens and what it has."""
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets)
        for line in self._banner:
            say(line)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """The first signal ends gracefully, a second Ctrl-C at once; none is raised again, for this is a clean end."""
        if self.should_exit and sig == signal.SIGINT:
            self.force_exit = True
        self.should_exit = True
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._let_go)

    def _let_go(self) -> None:
        """End the event streams and drain now: else streams would wait for runs, and the drain for the streams."""
        state = self._app.state
        if getattr(state, "closing", None) is not None:
            state.closing.set()
        if self._draining is None and getattr(state, "runs", None) is not None:
            logger.info("shutting down: runs drain for at most %s s", self._drain)
            self._draining = asyncio.ensure_future(state.runs.drain(self._drain))


def serve(settings: Settings) -> int:
    """Serve until told to stop. Raises ConfigError for an address that cannot be had, and whatever the stores raise."""
    set_up_logging(settings.log_level, Scrubber(settings.secrets()))
    # uvicorn's own "started", "shutting down" and the like repeat what is said here.
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    with bind(settings.host, settings.port) as listening:
        port = int(listening.getsockname()[1])
        banner = asyncio.run(_banner(settings, port))
        if not is_loopback(settings.host):
            tell(
                f"warning: {plain(settings.host)} can be reached from other machines and there is no authentication "
                "yet: anyone who reaches it can spend your budget. Put a proxy that authenticates before it."
            )
        app = create_app(settings)
        config = uvicorn.Config(
            app,
            host=settings.host,
            port=port,
            log_config=None,
            access_log=False,
            lifespan="on",
            server_header=False,
            timeout_graceful_shutdown=math.ceil(settings.drain_deadline) + GRACE,
        )
        server = Server(config, app, banner, settings.drain_deadline)
        server.run(sockets=[listening])
    return 0 if server.started else 1


async def _banner(settings: Settings, port: int) -> list[str]:
    """What to say once it listens. Opens the stores once, so that what is wrong is said in one line."""
    services = await open_services(settings)
    try:
        async with open_saver(settings.data_dir / NAME, busy_timeout=settings.busy_timeout):
            return banner_lines(
                settings, port, services.engine_note, source_lines(list(services.sources.values()), dict(services.off))
            )
    finally:
        await services.close()


def banner_lines(settings: Settings, port: int, engine: str, sources: list[str]) -> list[str]:
    """Address, engine, sources, data folder, and how to ask the first question."""
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    here = f"http://{host}:{port}"
    body = '{"vendor": "Monte Carlo: data observability", "consumer_type": "customer_intelligence"}'
    ask = '{"message": "Research Snowflake as a prospect for us"}'
    json = "-H 'Content-Type: application/json'"
    return [
        f"Dossier serves {here}  (documentation: {here}/docs)",
        f"engine: {plain(engine)}",
        *sources,
        f"data folder: {plain(str(settings.data_dir.resolve()))}",
        "Ask the first question:",
        f"  THREAD=$(curl -s {here}/v1/threads {json} -d '{body}' | sed 's/.*\"id\":\"\\([^\"]*\\).*/\\1/')",
        f"  curl -N {here}/v1/threads/$THREAD/runs -H 'Accept: text/event-stream' {json} -d '{ask}'",
        "Stop with Ctrl-C; unfinished runs go on at the next start.",
    ]
