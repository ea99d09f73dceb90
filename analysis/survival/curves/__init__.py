"""Kaplan-Meier curves and what is read off them: milestones, restricted means, risk tables, landmarks."""
