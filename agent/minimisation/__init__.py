"""What remains of a record of which only the outcome may be kept, and the note that may lie in an item's place."""
