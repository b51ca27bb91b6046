"""Crawls a scope, analyses what changed, and records batch and cursor together: any end is a place to go on from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

import structlog

from agent.catalogue.base import PassResult, Recorded, Share
from agent.catalogue.store import Catalogue
from agent.errors import SourceUnavailable
from agent.execution.base import Executor
from agent.model.analysis_version import AnalysisVersion
from agent.model.key import Identify
from agent.usecases.intake import Intake, Progress
from connectors.base import Connector, Scope
from connectors.errors import NotSignedIn, ScopeUnavailable, Throttled

_FILESYSTEM = "filesystem"
_ENDS_A_PASS = (ScopeUnavailable, Throttled, NotSignedIn)

log = structlog.get_logger("retentiond.scan")


def never() -> bool:
    """Nobody asks for the scan to stop."""
    return False


class Scan:
    """One pass over one scope, or looks into some of its folders."""

    def __init__(
        self,
        connector: Connector,
        scope: Scope,
        location: str,
        catalogue: Catalogue,
        executor: Executor,
        version: AnalysisVersion,
        now: Callable[[], datetime],
        on_progress: Progress,
        identify: Identify | None = None,
        *,
        kind: str = _FILESYSTEM,
        tenant: str = "",
    ) -> None:
        """`identify` gives keys that marks at the source write down the form in which they are kept; without it, they
        are left out. `kind` is that of the connector, `tenant` the name of the tenant that the scope belongs to."""
        self._connector = connector
        self._scope = scope
        self._location = location
        self._catalogue = catalogue
        self._executor = executor
        self._version = version
        self._now = now
        self._on_progress = on_progress
        self._identify = identify
        self._kind = kind
        self._tenant = tenant

    def run(self, *, new_mount: bool = False, stop: Callable[[], bool] = never) -> tuple[PassResult, int]:
        """Does the pass, or goes on with the one that was interrupted; gives its result and how many items were opened.

        `stop` is asked between pages: once it says yes, what is under way is finished and stored, and the result is
        that of a pass which is not `complete`. Raises `SourceUnavailable` if the scope cannot be reached, asks us to
        wait for long, or another file system answers in its place (unless `new_mount` says that this is meant); what
        was recorded until then stays, and nothing is inferred.
        """
        share = self._known_share(new_mount=new_mount)
        continues = self._connector.capabilities.continues
        current = self._catalogue.begin_pass(share, self._version, self._now(), continues=continues)
        log.info("scan.began", share=share.name, number=current.number, resumed=current.resumed)
        self._on_progress(current.seen, 0)

        def store(results: Sequence[Recorded], cursor: bytes, seen: int, folders: int) -> None:
            self._catalogue.commit(current, results, cursor, seen, folders, self._now())

        intake = self._intake(share, store)
        stopped = False
        try:
            known = self._catalogue.known(current)
            for page in self._connector.changes(self._scope, known, after=current.cursor):
                intake.take_up(page)
                if stopped := stop():
                    break
            intake.finish()
        except _ENDS_A_PASS as error:
            raise SourceUnavailable(f"{self._location}: {error}") from error
        finally:
            intake.close()
        if stopped:
            result = self._catalogue.last_pass(share)
            assert result is not None  # noqa: S101 — it was begun above
            log.info("scan.stopped", share=share.name, seen=result.seen)
            return result, intake.opened
        result = self._catalogue.end_pass(current, self._now())
        log.info("scan.ended", share=share.name, seen=result.seen, reconciles=result.reconciles)
        return result, intake.opened

    def look(self, folders: Sequence[bytes], *, stop: Callable[[], bool] = never) -> int:
        """Takes in what differs in these folders, as a source has told that something happened in them; gives how many
        items were opened.

        What is missing is taken for missing, never for deleted: that needs a whole pass. Raises `SourceUnavailable`.
        """
        share = self._known_share(new_mount=False)

        def store(results: Sequence[Recorded], _cursor: bytes, _seen: int, _folders: int) -> None:
            self._catalogue.commit_look(share, self._version, results, self._now())

        intake = self._intake(share, store)
        try:
            known = self._catalogue.known_under(share, self._version)
            for page in self._connector.look(self._scope, known, folders):
                intake.take_up(page)
                if stop():
                    break
            intake.finish()
        except _ENDS_A_PASS as error:
            raise SourceUnavailable(f"{self._location}: {error}") from error
        finally:
            intake.close()
        return intake.opened

    def _intake(self, share: Share, store: Callable[[Sequence[Recorded], bytes, int, int], None]) -> Intake:
        return Intake(
            self._connector,
            self._scope,
            self._catalogue,
            self._executor,
            share,
            store,
            self._on_progress,
            self._identify,
        )

    def _known_share(self, *, new_mount: bool) -> Share:
        if self._kind != _FILESYSTEM:
            scope = self._scope
            return self._catalogue.ensure_scope(
                scope.name, self._location, scope.identity, self._kind, self._tenant, scope.stored_in
            )
        share = self._catalogue.ensure_share(self._scope.name, self._location, self._scope.identity)
        if share.identity != self._scope.identity:
            if not new_mount:
                raise SourceUnavailable(
                    f"{self._location}: another file system answers here than in the last scan. Is the share mounted? "
                    "Nothing was read and nothing is taken for deleted. "
                    "If the share has really moved, run the scan once with --new-mount."
                )
            share = self._catalogue.accept_identity(share, self._scope.identity)
        return share
