"""The face towards systemd: a quiet service that watches, scans, and carries out what is approved."""
