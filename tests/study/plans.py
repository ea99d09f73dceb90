"""The plan that several tests begin with: the lung cohort by age."""

LUNG_BY_AGE = """[data]
path = "cohort.csv"
[marker]
column = "age"
unit = "years"
per = 10
direction = "higher"
[strata]
quantiles = 2
[[endpoints]]
name = "Overall survival"
duration = "os_days"
event = "os_event"
time_unit = "days"
"""
