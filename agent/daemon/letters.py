"""Writes to reviewers and administrators, by the mail server of the settings."""

from __future__ import annotations

import functools
import os
import socket
from collections.abc import Iterator
from datetime import date
from itertools import chain
from typing import TYPE_CHECKING

from agent import bootstrap
from agent.daemon.jobs import Outcome
from agent.daemon.metrics import recipients
from agent.model.review import Reviewer
from agent.model.service import JobResult
from agent.observing.letter import Letter
from agent.observing.mail import MailServer, credential_path, send
from agent.reports.words import say_count
from agent.settings import MailSettings, Settings
from agent.usecases.health import health
from agent.usecases.notices import Secretary, deliver, waiting_for
from agent.usecases.observed import observed, review_counts
from agent.usecases.review_standing import ReviewStandings

if TYPE_CHECKING:
    from agent.catalogue.store import Catalogue
    from agent.usecases.evaluate import Terms


def write_letters(catalogue: Catalogue, settings: Settings, terms: Terms, today: date) -> Outcome:
    """Sends every letter that is due. Standings must be up to date. Raises `ConfigurationError`, `CatalogueError`."""
    mail = settings.service.mail
    if mail is None:
        return Outcome(JobResult.DONE, "No mail server is named in the settings, so nobody was written to.")
    server = mail_server(mail)
    now = bootstrap.now()
    letters = _letters(catalogue, settings, terms, today, mail)
    sent = deliver(letters, functools.partial(send, server=server, at=now), catalogue.notices, now)
    said = f"{say_count(sent.delivered, 'letter')} sent"
    if sent.undelivered:
        return Outcome(JobResult.FAILED, f"{said}, {sent.undelivered:,} not taken by the mail server.")
    return Outcome(JobResult.DONE, f"{said}.")


def mail_server(mail: MailSettings) -> MailServer:
    """The server of the settings. Raises `ConfigurationError` for what could not work."""
    credentials = os.environ.get("CREDENTIALS_DIRECTORY", "")
    return MailServer(
        mail.host,
        mail.sender,
        mail.port,
        mail.security,
        mail.user or "",
        credential_path(mail.password_file or "", credentials),
    )


def _letters(
    catalogue: Catalogue, settings: Settings, terms: Terms, today: date, mail: MailSettings
) -> Iterator[Letter]:
    reviewers = [Reviewer(one.name, one.roles, one.email or "") for one in settings.reviewers]
    observe = lambda class_id: settings.disposition.mode_of(class_id) == "observe"  # noqa: E731
    standings = ReviewStandings(catalogue, terms, today, reviewers, observe)
    overdue_after = settings.reviews.overdue_after_days
    now = bootstrap.now()
    facts = observed(
        catalogue,
        now,
        today,
        reviews=review_counts(standings, overdue_after),
        anchoring=settings.service.checkpoint_file is not None,
        recipients=recipients(settings),
    )
    titles = {one.id: one.title for one in terms.schedule.classes}
    secretary = Secretary(catalogue.notices, now, titles, socket.gethostname())
    well = health(facts, now)
    return chain(
        secretary.reminders(waiting_for(standings, overdue_after)),
        secretary.alarms(well, mail.administrators),
        secretary.digests(facts, well, mail.administrators),
    )
