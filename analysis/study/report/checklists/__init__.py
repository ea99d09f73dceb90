"""Reporting guidelines as tables that the results fill in: REMARK, STROBE, SAMPL."""
