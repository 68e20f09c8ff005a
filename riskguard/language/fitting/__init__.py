"""Rules made to fit a feed and a bot; `binding` asks these."""
