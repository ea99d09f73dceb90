"""The known-truth benches: worlds, methods, scores and their tables."""
