"""How the shipped models are made: data, its reader, and the recipes. Not part of the package."""
