"""Item and findings to retention classes and keys."""
