"""From the tree back to text: what `riskguard show` prints, read again as equal."""
