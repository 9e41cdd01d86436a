"""What can be said of runs from their numbers and their stories: curves, comparisons, statistics of text, a page, a plot. Pure."""
