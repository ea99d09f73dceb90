"""Competing events: cumulative incidence, Gray's test, the model of Fine and Gray."""
