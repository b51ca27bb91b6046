"""Facts and schedule to a decision with its reasons. Pure: no input or output, no clock."""
