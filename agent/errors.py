"""The one error tree. Every error carries a stable code, a message that says what to do, and an HTTP status.

DossierError
├── InputError                       the request cannot be served as it stands
│   ├── MalformedRequest             malformed_request          400
│   ├── UnknownConsumerType          unknown_consumer_type      422
│   ├── InvalidMaxCost               invalid_max_cost           422
│   ├── InvalidDeadline              invalid_deadline           422
│   ├── EmptyMessage                 empty_message              422
│   ├── MessageTooLong               message_too_long           413
│   └── InvalidCursor                invalid_cursor             422
├── NotFound
│   ├── UnknownThread                unknown_thread             404
│   ├── UnknownRun                   unknown_run                404
│   └── NoSuchRoute                  no_such_route              404
├── Conflict
│   ├── ThreadBusy                   thread_busy                409
│   └── RunAlreadyEnded              run_already_ended          409
├── BudgetError
│   ├── BudgetExhausted              budget_exhausted           402
│   └── UnpricedModel                unpriced_model             422
├── ConfigError                      invalid_configuration      500
├── StoreError
│   ├── StoreBusy                    store_busy                 503
│   ├── StoreFull                    store_full                 507
│   ├── StoreReadOnly                store_read_only            507
│   └── StoreDamaged                 store_damaged              500
├── IngestError                      unreadable_file            422
├── ModelError
│   ├── ModelUnavailable             model_unavailable          502
│   ├── ModelMalformed               model_malformed            502
│   └── ModelOutcomeUnknown          model_outcome_unknown      502
├── ShuttingDown                     shutting_down              503
└── InternalError                    internal_error             500

What a *source* can do wrong is not here: `tools.base.SourceError` has its own closed list of kinds, and a node turns it
into a typed outcome, never into a failed run.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar


class DossierError(Exception):
    """Base of every error Dossier raises on purpose. `message` is safe to show to a caller."""

    code: ClassVar[str] = "dossier_error"
    status: ClassVar[int] = 500
    retryable: ClassVar[bool] = False

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class InputError(DossierError):
    """The request cannot be served as it stands: correct it and send it again."""

    code = "invalid_input"
    status = 422


class MalformedRequest(InputError):
    """The body is not JSON, or a field is missing, misspelt or of the wrong type: the message names the field."""

    code = "malformed_request"
    status = 400


class UnknownConsumerType(InputError):
    """No consumer type has this name: the message lists those there are, the nearest first."""

    code = "unknown_consumer_type"


class InvalidMaxCost(InputError):
    """`max_cost` is not an amount of USD from 0 to the deployment's ceiling: choose one in the range the message names."""

    code = "invalid_max_cost"


class InvalidDeadline(InputError):
    """`deadline` is not a number of seconds in the allowed range: choose one in the range the message names."""

    code = "invalid_deadline"


class EmptyMessage(InputError):
    """The message has no words: ask a question about a company."""

    code = "empty_message"


class MessageTooLong(InputError):
    """The message or the body is over its limit: shorten it, or ingest the text as a document and ask about it."""

    code = "message_too_long"
    status = 413


class InvalidCursor(InputError):
    """`Last-Event-ID` or `after` is not a number this run can have reached: send the last `seq` you saw."""

    code = "invalid_cursor"


class NotFound(DossierError):
    """What was asked for does not exist here."""

    code = "not_found"
    status = 404


class UnknownThread(NotFound):
    """No thread has this id: make one with POST /v1/threads."""

    code = "unknown_thread"


class UnknownRun(NotFound):
    """No run has this id: start one with POST /v1/threads/{id}/runs."""

    code = "unknown_run"


class NoSuchRoute(NotFound):
    """No such address: the list of routes is at /docs."""

    code = "no_such_route"


class Conflict(DossierError):
    """The request is sound but does not fit the present state."""

    code = "conflict"
    status = 409


class ThreadBusy(Conflict):
    """A run is already active on this thread: follow it, cancel it, or wait until it ends."""

    code = "thread_busy"


class RunAlreadyEnded(Conflict):
    """The run has ended, so there is nothing to cancel: read its result."""

    code = "run_already_ended"


class BudgetError(DossierError):
    """Money stands in the way. Nothing was spent."""

    code = "budget"
    status = 402


class BudgetExhausted(BudgetError):
    """The budget has no room for the call: raise `max_cost`, or accept what was found."""

    code = "budget_exhausted"


class UnpricedModel(BudgetError):
    """The model has no known price while a budget binds: set DOSSIER_MODEL_PRICE_INPUT and DOSSIER_MODEL_PRICE_OUTPUT."""

    code = "unpriced_model"
    status = 422


class ConfigError(DossierError):
    """A setting or a catalogue file is wrong: the message names it and what it may be."""

    code = "invalid_configuration"


class StoreError(DossierError):
    """The database refused. Nothing that was confirmed before is lost."""

    code = "store_error"
    status = 503


class StoreBusy(StoreError):
    """Another process holds the database: try again, or stop the process that holds it."""

    code = "store_busy"
    retryable = True


class StoreFull(StoreError):
    """The disk is full: free some space; unfinished runs go on at the next start."""

    code = "store_full"
    status = 507


class StoreReadOnly(StoreError):
    """The data folder cannot be written: make it writable, or point DOSSIER_DATA_DIR elsewhere."""

    code = "store_read_only"
    status = 507


class StoreDamaged(StoreError):
    """A database file is damaged or not ours: restore it from a copy, or move it away to start afresh."""

    code = "store_damaged"
    status = 500


class IngestError(DossierError):
    """A file could not be read: the message names it and why; the other files are in."""

    code = "unreadable_file"
    status = 422


class ModelError(DossierError):
    """The chat model did not deliver. The node goes on with the extractive engine and says so."""

    code = "model_error"
    status = 502

    def __init__(self, message: str, *, billed: int | None = 0) -> None:
        """`billed` is in micro-dollars; None when nobody can know, and then the whole hold counts as spent."""
        super().__init__(message)
        self.billed = billed


class ModelUnavailable(ModelError):
    """The model's server refused, failed or timed out: check OPENAI_BASE_URL and the key with `dossier doctor`."""

    code = "model_unavailable"


class ModelMalformed(ModelError):
    """The model's answer did not fit the schema, even after one repair: try a larger model."""

    code = "model_malformed"


class ModelOutcomeUnknown(ModelError):
    """A model call was in flight when the process died: it counts as spent and is not asked again."""

    code = "model_outcome_unknown"


class ShuttingDown(DossierError):
    """The server is draining: try again in a moment; runs already accepted go on at the next start."""

    code = "shutting_down"
    status = 503
    retryable = True


class InternalError(DossierError):
    """A fault of ours: the log has the details under the id in the message."""

    code = "internal_error"


def all_errors() -> Iterator[type[DossierError]]:
    """Every error class of the tree, parents before children; the documentation test walks it."""
    todo: list[type[DossierError]] = [DossierError]
    while todo:
        kind = todo.pop(0)
        yield kind
        todo.extend(kind.__subclasses__())
