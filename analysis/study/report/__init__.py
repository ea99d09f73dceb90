"""What a report says: its sections, figures, tables, words, cautions and checklists."""
