"""The erasure ceremony: the destroyed items' epochs end, and everybody else in them moves to another one first."""

from __future__ import annotations

from datetime import date

from agent.vault.base import Ceremony, Damaged, Epoch, Fate
from agent.vault.keyring import Keyring
from agent.vault.slots import KeySlots


def hold_ceremony(slots: KeySlots, keyring: Keyring, without_key: tuple[str, ...], today: date) -> Ceremony:
    """Erases every epoch that a destroyed item hung from, and every epoch that nobody needs.

    The order is what makes it safe to be cut off anywhere and run again:

    1. survivors get a second key record, under an epoch that stays (today's, or a new one); durable;
    2. each of them is read back from the device and must open;
    3. their records under the ending epochs are overwritten; durable;
    4. the slots of the ending epochs are overwritten, twice; durable, and read back as empty.

    `without_key` are objects whose key cannot be found: while there are any, a damaged place in the key files may be
    theirs, and erasing could lose them; raises `Damaged` before anything is changed.
    """
    if without_key:
        raise Damaged(
            f"{len(without_key)} object(s) in the vault have no key that opens them, the first is {without_key[0]}. "
            "Nothing was erased. Put the vault's key files back from a backup, or destroy these objects."
        )
    slots.mend()
    keyring.empty_damaged()
    if half := keyring.half_destroyed():
        keyring.destroy(half)
    ending = _ending(slots, keyring, today)
    survivors = {id for id, _ in keyring.held_in(ending)}
    _move(slots, keyring, survivors, ending, today)
    keyring.drop_all_in(ending)
    slots.erase(ending)
    erased = sorted(id.hex() for id in keyring.destroyed() if keyring.fate(id, slots) is Fate.ERASED)
    return Ceremony(tuple(sorted(epoch.hex() for epoch in ending)), len(survivors), tuple(erased))


def _ending(slots: KeySlots, keyring: Keyring, today: date) -> set[bytes]:
    """The epochs to erase: those of destroyed items, those without items, and the oldest if slots become scarce."""
    to_erase, in_use = keyring.epochs_to_erase(), keyring.epochs_in_use()
    epochs = slots.epochs()
    ending = {
        epoch.id for epoch in epochs if epoch.id in to_erase or (epoch.id not in in_use and epoch.opened_on != today)
    }
    staying = [epoch.id for epoch in epochs if epoch.id not in ending]
    return ending.union(staying[: max(0, slots.crowded() - len(ending))])


def _move(slots: KeySlots, keyring: Keyring, survivors: set[bytes], ending: set[bytes], today: date) -> None:
    if not survivors:
        return
    target = epoch_of(slots, today, ending) or slots.open_epoch(today, from_reserve=True)
    for id in survivors:
        if not keyring.opens(id, slots, without=ending):
            keyring.add(id, keyring.key(id, slots), target.id, slots)
    keyring.sync()
    for id in survivors:
        keyring.key(id, slots, without=ending)  # raises unless it opens


def epoch_of(slots: KeySlots, day: date, ending: set[bytes] | frozenset[bytes] = frozenset()) -> Epoch | None:
    """The epoch of that day which is not ending, if there is one."""
    return next((epoch for epoch in slots.epochs() if epoch.opened_on == day and epoch.id not in ending), None)
