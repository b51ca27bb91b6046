"""`python -m agent` is the same as `retentiond`."""

from agent.cli import main

main()
