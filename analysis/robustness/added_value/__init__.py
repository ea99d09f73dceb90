"""Does the marker add anything? Two models' accuracy and net benefit, corrected for optimism by refitting both."""

from __future__ import annotations

from analysis.robustness.added_value.added_value import AddedValue, added_value
