"""File shares: the connector to a folder of this machine's file systems, mounted ones included."""
