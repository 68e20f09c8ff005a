"""The rule language: text in, RuleSet out; the only folder that knows how rules are written."""
