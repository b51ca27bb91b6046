"""Microsoft 365, emulated on the loopback address, for tests of everything that speaks to it."""

from __future__ import annotations

from tests.emulator.apps import App
from tests.emulator.calls import Call
from tests.emulator.certificates import app_certificate
from tests.emulator.emulator import Emulator
from tests.emulator.faults import Fault
from tests.emulator.http import Problem, Request
from tests.emulator.throttle import Limits

__all__ = ["App", "Call", "Emulator", "Fault", "Limits", "Problem", "Request", "app_certificate"]
