"""Tables of the language: which keys a block has, which words mean which, what ta offers."""
