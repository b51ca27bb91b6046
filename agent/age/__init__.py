"""The age v1 file format (c2sp.org/age) with X25519 recipients, over `cryptography`.

Any `age` command opens what is written here, in twenty years too: `age -d -i officer.key FILE`.
"""
