"""Rules that can be read but cannot be meant; `lint` asks these."""
