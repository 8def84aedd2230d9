"""Every setting, in one table. Each is read from the environment (or a `.env` file) under the name its row gives."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AliasChoices, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from agent.errors import ConfigError


class Settings(BaseSettings):
    """What an operator may change. Amounts are USD, times are seconds."""

    model_config = SettingsConfigDict(
        env_prefix="DOSSIER_", env_file=".env", extra="ignore", frozen=True, populate_by_name=True
    )

    data_dir: Path = Field(Path(".dossier"), description="Folder of the databases. One folder, one machine.")
    host: str = Field(
        "127.0.0.1", description="Address the server binds to. Loopback unless you put a proxy before it."
    )
    port: int = Field(8000, ge=0, le=65535, description="Port the server binds to.")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="How much is logged to stderr.")
    synchronous: Literal["NORMAL", "FULL"] = Field(
        "NORMAL",
        description="SQLite's synchronous pragma. NORMAL survives a killed process; FULL a power cut too, but is slower.",
    )
    busy_timeout: float = Field(
        30.0, ge=0, le=600, description="How long a write waits for another process that holds a database, seconds."
    )

    max_cost_ceiling: Decimal = Field(
        Decimal("7.00"), ge=0, le=10_000, description="The most a single run may be allowed to spend, USD."
    )
    thread_budget: Decimal = Field(
        Decimal("20.00"), ge=0, le=1_000_000, description="The most one thread may spend over all its runs, USD."
    )
    consumer_daily_budget: Decimal = Field(
        Decimal("100.00"), ge=0, le=1_000_000, description="The most one consumer type may spend in a UTC day, USD."
    )
    gain_per_dollar: Decimal = Field(
        Decimal("0.20"),
        ge=0,
        description="Exchange rate: the gain in overall quality (0 to 1) that a call must promise for each USD it costs.",
    )
    planner: Literal["fast", "exact"] = Field(
        "fast",
        description="How calls are chosen: `fast` takes milliseconds and is near the best; `exact` takes seconds and is the best.",
    )
    max_rounds: int = Field(
        2, ge=1, le=10, description="How often a run may go round decompose, plan, collect, assess."
    )
    run_deadline: float = Field(300.0, gt=0, le=86_400, description="Default deadline of a run, seconds.")
    drain_deadline: float = Field(
        20.0, ge=0, le=3_600, description="How long SIGTERM waits for running nodes before the process ends, seconds."
    )
    max_runs: int = Field(
        64, ge=1, le=10_000, description="Runs executed at the same time by one process; others queue."
    )
    max_calls: int = Field(32, ge=1, le=1_000, description="Source calls under way at the same time in one process.")
    max_message_chars: int = Field(
        20_000, ge=100, le=1_000_000, description="Longest question or vendor text, characters."
    )
    max_body_bytes: int = Field(1_000_000, ge=1_000, description="Largest request body the server reads, bytes.")
    heartbeat: float = Field(
        15.0, gt=0, description="Seconds of silence after which an event stream sends a comment line."
    )
    keep_checkpoints: int = Field(
        200, ge=1, description="Checkpoints kept per thread once a run has ended; older ones are pruned."
    )

    engine: Literal["auto", "extractive", "model"] = Field(
        "auto",
        description="Language engine: `auto` uses the chat model when a key or a base URL is set, else extractive.",
    )
    openai_api_key: SecretStr | None = Field(
        None,
        validation_alias=AliasChoices("OPENAI_API_KEY", "openai_api_key"),
        description="Key of the chat model's server.",
    )
    openai_base_url: str | None = Field(
        None,
        validation_alias=AliasChoices("OPENAI_BASE_URL", "openai_base_url"),
        description="Address of an OpenAI-compatible server, for example a local one. Empty means OpenAI itself.",
    )
    model: str = Field("gpt-4.1-mini", description="Name of the chat model.")
    model_price_input: Decimal | None = Field(
        None,
        ge=0,
        description="USD per million prompt tokens, for a model that is not in the price table (0 for your own).",
    )
    model_price_output: Decimal | None = Field(
        None, ge=0, description="USD per million completion tokens, for a model that is not in the price table."
    )
    model_max_tokens: int = Field(1_500, ge=64, le=100_000, description="Most tokens the model may write in one call.")
    model_timeout: float = Field(
        60.0, gt=0, description="Longest wait for the model between two pieces of its answer, seconds."
    )
    model_context_chars: int = Field(
        24_000, ge=1_000, description="Most characters of evidence shown to the model when it writes."
    )

    serpapi_api_key: SecretStr | None = Field(
        None,
        validation_alias=AliasChoices("SERPAPI_API_KEY", "serpapi_api_key"),
        description="Key for SerpAPI (Google search and Google News).",
    )
    serpapi_price: Decimal = Field(
        Decimal("0.015"), ge=0, le=10, description="USD per successful SerpAPI search under your plan ($75 for 5,000)."
    )
    serpapi_base_url: str = Field("https://serpapi.com", description="Address of SerpAPI, or of a proxy before it.")
    serpapi_timeout: float = Field(20.0, gt=0, description="Longest wait for a SerpAPI search, seconds.")

    offline: bool = Field(False, description="Ask nothing over the network but a configured chat model and SerpAPI.")
    contact: str = Field(
        "",
        max_length=200,
        description="E-mail address or page named to every free service, as their rules of use ask. SEC EDGAR needs it.",
    )
    github_token: SecretStr | None = Field(
        None,
        validation_alias=AliasChoices("GITHUB_TOKEN", "github_token"),
        description="Token for GitHub: 5,000 requests an hour in place of 60. No scope is needed.",
    )
    feeds: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Addresses of RSS or Atom feeds to read for every company, separated by commas."
    )
    allowed_hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Internal hosts (or host:port) that may be asked all the same, separated by commas."
    )
    mirrors: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="Mirrors or gateways: `host=address` pairs separated by commas; `*` is every host, `{host}` its name.",
    )
    http_timeout: float = Field(
        15.0, gt=0, le=600, description="Longest wait for one answer of a free service, seconds."
    )
    mcp_servers: Path | None = Field(
        None, description="A TOML file of MCP servers to use as sources, with their prices and datasets."
    )

    entailment: str = Field(
        "",
        description="A model that has the last word on each fact, as `package.module:factory`; see docs/confidence.md.",
    )
    sources_only: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Names of the only sources to use, separated by commas. Empty means all."
    )
    sources_off: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Names of sources that must not be used, separated by commas."
    )
    starter_library: bool = Field(True, description="Whether the dated fact notes that come with Dossier may be used.")
    consumers_dir: Path | None = Field(None, description="A further folder of consumer types, one TOML file each.")

    @field_validator("sources_off", "sources_only", "feeds", "allowed_hosts", "mirrors", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("mirrors")
    @classmethod
    def _are_pairs(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for pair in value:
            host, _, base = pair.partition("=")
            if not host.strip() or not base.strip().startswith(("http://", "https://")):
                raise ValueError("each mirror is host=address, for example data.sec.gov=https://mirror.example/sec")
        return value

    @field_validator(
        "openai_api_key",
        "serpapi_api_key",
        "github_token",
        "openai_base_url",
        "consumers_dir",
        "mcp_servers",
        mode="before",
    )
    @classmethod
    def _blank_is_unset(cls, value: object) -> object:
        return None if isinstance(value, str) and not value.strip() else value

    @classmethod
    def env_name(cls, field: str) -> str:
        """The environment variable that sets `field`."""
        alias = cls.model_fields[field].validation_alias
        if isinstance(alias, AliasChoices):
            return str(alias.choices[0])
        return f"DOSSIER_{field.upper()}"

    @property
    def wants_model(self) -> bool:
        """Whether a chat model is to be used at all."""
        if self.engine == "auto":
            return self.openai_api_key is not None or self.openai_base_url is not None
        return self.engine == "model"

    def secrets(self) -> tuple[str, ...]:
        """Every secret value in force, for the scrubber."""
        found = (getattr(self, name) for name in type(self).model_fields)
        return tuple(s.get_secret_value() for s in found if isinstance(s, SecretStr) and s.get_secret_value())


def load_settings(**overrides: object) -> Settings:
    """Read the settings; raises ConfigError that names the variable and what is wrong with it (never its value)."""
    try:
        return Settings(**overrides)  # type: ignore[arg-type]
    except ValidationError as exc:
        problems = "; ".join(f"{_env_of(e['loc'])}: {e['msg']}" for e in exc.errors(include_input=False))
        raise ConfigError(f"Settings are wrong: {problems}. See docs/settings.md.") from None


def _env_of(loc: tuple[int | str, ...]) -> str:
    name = str(loc[0]) if loc else "?"
    return Settings.env_name(name) if name in Settings.model_fields else name
