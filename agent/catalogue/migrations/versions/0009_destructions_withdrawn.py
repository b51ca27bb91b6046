"""A destruction that was cut off may be withdrawn: back into quarantine, while the key is still there.

Revision ID: 0009
"""

from __future__ import annotations

from alembic import op

revision = "0009"
down_revision = "0008"

_ORDER = {
    "planned": ("sealed", "abandoned", "conflict", "relocated"),
    "sealed": ("quarantined", "abandoned", "conflict"),
    "quarantined": ("restoring", "destroying"),
    "restoring": ("restored", "quarantined"),
    "destroying": ("destroyed", "quarantined"),
    "destroyed": ("erased",),
    "conflict": ("abandoned",),
}
_STEP_ALLOWED = " OR ".join(
    f"(OLD.state = '{before}' AND NEW.state IN ({', '.join(repr(state) for state in after)}))"
    for before, after in _ORDER.items()
)
_STEPS_IN_ORDER = f"""
CREATE TRIGGER disposal_goes_step_by_step BEFORE UPDATE OF state ON disposal
WHEN OLD.state <> NEW.state AND NOT ({_STEP_ALLOWED})
BEGIN SELECT RAISE(ABORT, 'a disposal goes step by step'); END
"""


def upgrade() -> None:
    op.execute("DROP TRIGGER disposal_goes_step_by_step")
    op.execute(_STEPS_IN_ORDER)
