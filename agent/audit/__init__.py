"""A log that shows whether anybody has changed it: a Merkle tree over entries, and signed checkpoints of it."""
