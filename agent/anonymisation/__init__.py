"""The anonymisation engine: takes what names or describes a person out of a document, and leaves the rest as it is."""
