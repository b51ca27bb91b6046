"""Writes to reviewers and administrators, by the mail server of the settings."""

from __future__ import annotations

import functools
import os
import socket
from collections.abc import Iterator
from datetime import date, datetime
from itertools import chain
from typing import TYPE_CHECKING

from agent import bootstrap
from agent.daemon.jobs import Outcome
from agent.daemon.metrics import recipients
from agent.model.review import Reviewer
from agent.model.service import JobResult
from agent.observing.base import Facts, ReviewCounts
from agent.observing.letter import Letter
from agent.observing.mail import MailServer, credential_path, send
from agent.reports.words import say_count
from agent.settings import MailSettings, Settings
from agent.tenancy.observed import tenants_observed
from agent.usecases.health import health
from agent.usecases.notices import Secretary, Sent, deliver, waiting_for
from agent.usecases.observed import observed, review_counts
from agent.usecases.review_standing import ReviewStandings

if TYPE_CHECKING:
    from pathlib import Path

    from agent.catalogue.store import Catalogue
    from agent.usecases.evaluate import Terms


def write_letters(catalogue: Catalogue, settings: Settings, state: Path, terms: Terms, today: date) -> Outcome:
    """Sends every letter that is due. Standings must be up to date. Raises `ConfigurationError`, `CatalogueError`."""
    mail = settings.service.mail
    if mail is None:
        return Outcome(JobResult.DONE, "No mail server is named in the settings, so nobody was written to.")
    standings = _standings(catalogue, settings, terms, today)
    overdue_after = settings.reviews.overdue_after_days
    facts = _facts(catalogue, settings, state, today, review_counts(standings, overdue_after))
    secretary = Secretary(catalogue.notices, facts.at, {one.id: one.title for one in terms.schedule.classes}, _site())
    well = health(facts, facts.at)
    letters = chain(
        secretary.reminders(waiting_for(standings, overdue_after)),
        secretary.alarms(well, mail.administrators),
        secretary.digests(facts, well, mail.administrators),
    )
    sent = _deliver(letters, mail, catalogue, facts.at)
    said = f"{say_count(sent.delivered, 'letter')} sent"
    if sent.undelivered:
        return Outcome(JobResult.FAILED, f"{said}, {sent.undelivered:,} not taken by the mail server.")
    return Outcome(JobResult.DONE, f"{said}.")


def write_alarms(catalogue: Catalogue, settings: Settings, state: Path, today: date) -> None:
    """Sends administrators what has gone wrong and was not told yet. Raises `ConfigurationError`, `CatalogueError`."""
    mail = settings.service.mail
    if mail is None or not mail.administrators:
        return
    facts = _facts(catalogue, settings, state, today, None)
    secretary = Secretary(catalogue.notices, facts.at, {}, _site())
    _deliver(secretary.alarms(health(facts, facts.at), mail.administrators), mail, catalogue, facts.at)


def count_reviews(catalogue: Catalogue, settings: Settings, terms: Terms, today: date) -> ReviewCounts:
    """How many reviews wait for people. Standings must be up to date."""
    return review_counts(_standings(catalogue, settings, terms, today), settings.reviews.overdue_after_days)


def _deliver(letters: Iterator[Letter], mail: MailSettings, catalogue: Catalogue, now: datetime) -> Sent:
    return deliver(letters, functools.partial(send, server=mail_server(mail), at=now), catalogue.notices, now)


def _facts(catalogue: Catalogue, settings: Settings, state: Path, today: date, reviews: ReviewCounts | None) -> Facts:
    return observed(
        catalogue,
        bootstrap.now(),
        today,
        reviews=reviews,
        anchoring=settings.service.checkpoint_file is not None,
        recipients=recipients(settings),
        tenants=tenants_observed(settings, state),
    )


def _standings(catalogue: Catalogue, settings: Settings, terms: Terms, today: date) -> ReviewStandings:
    reviewers = [Reviewer(one.name, one.roles, one.email or "") for one in settings.reviewers]

    def observe(class_id: str) -> bool:
        return settings.disposition.mode_of(class_id) == "observe"

    return ReviewStandings(catalogue, terms, today, reviewers, observe)


def _site() -> str:
    return socket.gethostname()


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
