"""What two rule sets mean differently, and which of them protects more."""
