"""The language explained: codes, the schema for editors, the reference page."""
