"""Hazards that are not proportional: MaxCombo, effects by period, restricted means by horizon."""
