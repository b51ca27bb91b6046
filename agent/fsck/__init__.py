"""The independent checker: where every item is, by what lies on the disks; it shares no code with what acts."""
