"""Text of a file and of a line: slips, places, words, numbers with their units."""
