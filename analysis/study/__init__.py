"""A study plan to results to files; the only writer of results."""
