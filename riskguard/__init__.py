"""riskguard: write exit rules once, in YAML; test them on every crash; let any bot obey them."""
