"""Several files made one: extends, override, disable, rules per symbol."""
