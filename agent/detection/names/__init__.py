"""Names of persons: by rules, by a gazetteer, and by a model."""
