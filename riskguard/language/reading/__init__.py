"""From nodes to the tree: one reader for each kind of block, names and values."""
