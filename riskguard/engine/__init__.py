"""RuleSet and samples in, decisions out: pure, event time only, standard library only."""
