"""When to leave storage to others: the rule by which the pause between two files grows and shrinks again.

While storage is slow, the pause doubles with every file, up to a ceiling; while it is well, every file lets us read one
file per second more. So we are out of the way soon, come back gently, and never stop.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

_SHORTEST_SECONDS, _LONGEST_SECONDS = 1e-6, 60.0  # what lies outside is taken for a mistake of the clock
_FIRST = 8  # files that tell what is usual here; until then none is judged by it
_OF_RECENT = 1 / 8
_DOWNWARDS = 1 / 32
_UPWARDS = 1 / 256
_UPWARDS_IN_TROUBLE = 1 / 4096  # trouble must not teach us that it is usual; if it stays for thousands of files, it is
# A disk that we leave alone may fall asleep, and then each of our rare files finds it slow because we are so rare.
_LOOK_AGAIN_AFTER = 32


@dataclass(frozen=True, slots=True)
class Tolerance:
    """What still counts as well, and how much room others get.

    Storage is slow when opening a file and reading its beginning takes `times_usual` times as long as usual here and
    at least `least_seconds`, or when others wait for storage in `pressure_percent` of the time. The pause begins with
    `step_seconds`. Raises `ValueError` for a step or a ceiling that would stop us for good or not make room at all.
    """

    times_usual: float = 4.0
    least_seconds: float = 0.002
    pressure_percent: float = 25.0
    step_seconds: float = 0.01
    ceiling_seconds: float = 1.0

    def __post_init__(self) -> None:
        if not 0 < self.step_seconds <= self.ceiling_seconds < math.inf:
            raise ValueError("step_seconds must be above 0 and at most ceiling_seconds, and that finite")
        if not self.times_usual > 1:
            raise ValueError("times_usual must be above 1")


@dataclass(frozen=True, slots=True)
class Ease:
    """What has been learned of one storage: how long things usually and lately take, and the pause that follows.

    `usual_seconds` and `recent_seconds` are means of logarithms, so that one file that takes very long does not count
    for many. `files` is how many of them were measured, `slow_files` how many in a row have found storage slow.
    """

    usual_seconds: float = 0.0
    recent_seconds: float = 0.0
    files: int = 0
    pause_seconds: float = 0.0
    slow_files: int = 0

    @property
    def slow(self) -> bool:
        return self.slow_files > 0


def eased(ease: Ease, tolerance: Tolerance, seconds: float | None, pressure: float | None) -> Ease:
    """What is known after one more file.

    `seconds` is how long it took to open and to read its beginning, or none where that told nothing, as it did not come
    from storage. `pressure` is how much others wait, in percent, where that is known.
    """
    if seconds is not None and _SHORTEST_SECONDS <= seconds <= _LONGEST_SECONDS:
        ease = _learned(ease, tolerance, seconds)
    elif ease.files:
        ease = replace(ease, recent_seconds=_nearer(ease.recent_seconds, ease.usual_seconds, _OF_RECENT))
    others_wait = pressure is not None and pressure >= tolerance.pressure_percent
    if not (others_wait or _takes_long(ease, tolerance)):
        return replace(ease, pause_seconds=_shorter(ease.pause_seconds, tolerance), slow_files=0)
    if ease.slow_files >= _LOOK_AGAIN_AFTER and not others_wait:
        return replace(ease, recent_seconds=ease.usual_seconds, pause_seconds=tolerance.step_seconds, slow_files=0)
    return replace(ease, pause_seconds=_longer(ease.pause_seconds, tolerance), slow_files=ease.slow_files + 1)


def _longer(pause: float, tolerance: Tolerance) -> float:
    return min(tolerance.ceiling_seconds, max(tolerance.step_seconds, 2 * pause))


def _shorter(pause: float, tolerance: Tolerance) -> float:
    shorter = pause / (1 + pause)  # one file per second more
    return shorter if shorter >= tolerance.step_seconds else 0.0


def _learned(ease: Ease, tolerance: Tolerance, seconds: float) -> Ease:
    files = ease.files + 1
    if ease.files == 0:
        return replace(ease, usual_seconds=seconds, recent_seconds=seconds, files=files)
    if files <= _FIRST:
        mean = _nearer(ease.usual_seconds, seconds, 1 / files)
        return replace(ease, usual_seconds=mean, recent_seconds=mean, files=files)
    upwards = _UPWARDS_IN_TROUBLE if seconds >= _bound(ease, tolerance) else _UPWARDS
    usual = _nearer(ease.usual_seconds, seconds, _DOWNWARDS if seconds < ease.usual_seconds else upwards)
    recent = _nearer(ease.recent_seconds, seconds, _OF_RECENT)
    return replace(ease, usual_seconds=usual, recent_seconds=recent, files=files)


def _takes_long(ease: Ease, tolerance: Tolerance) -> bool:
    return ease.recent_seconds >= _bound(ease, tolerance)


def _bound(ease: Ease, tolerance: Tolerance) -> float:
    return max(tolerance.least_seconds, tolerance.times_usual * ease.usual_seconds)


def _nearer(mean: float, to: float, weight: float) -> float:
    """The mean moved towards a value by that part of the way, on a logarithmic scale."""
    return math.exp(math.log(mean) + weight * (math.log(to) - math.log(mean)))
