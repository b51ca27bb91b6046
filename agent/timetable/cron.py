"""Times by cron expressions, on the clock of a time zone: the hour that summer time skips, and the one it repeats, are
`cronsim`'s business, which does as Debian's cron."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta, tzinfo

from cronsim import CronSim, CronSimError


def check_cron(expression: str) -> str:
    """The expression. Raises `ValueError`, which says what is wrong with it, if it is none or never comes."""
    try:
        next(CronSim(expression, datetime(2024, 1, 1, tzinfo=UTC)))
    except CronSimError as error:
        said = str(error) or "it has five fields: minute, hour, day, month, weekday"
        raise ValueError(f"must be a cron expression such as 15 1 * * * ({said[0].lower()}{said[1:]})") from None
    except StopIteration:
        raise ValueError("must be a cron expression for a day that comes; this one never does") from None
    return expression


def next_time(expression: str, zone: tzinfo, after: datetime, jitter: timedelta, seed: str) -> datetime:
    """The first moment behind `after` (aware) that the expression names, in UTC, put off by up to `jitter`.

    How far it is put off is drawn from `seed` and the moment: the same again after a restart, another one for each
    share, so that not all of them begin at once.
    """
    moment = next(CronSim(expression, after.astimezone(zone))).astimezone(UTC)
    drawn = random.Random(f"{seed}\0{moment.isoformat()}").random()  # noqa: S311 — spreads load, guards nothing
    return moment + jitter * drawn
