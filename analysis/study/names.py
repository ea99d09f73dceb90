"""Names of files and of places on the page, from the words of a plan."""

from __future__ import annotations

import re

LONGEST = 60  # a file name has room for a prefix and a suffix


def slug(text: str) -> str:
    """A label as part of a file name: letters and digits of any script, in lower case.

    Examples
    --------
    >>> slug("Overall survival"), slug("Επιβίωση (μήνες)")
    ('overall-survival', 'επιβίωση-μήνες')
    """
    return re.sub(r"[\W_]+", "-", text.lower())[:LONGEST].strip("-") or "unnamed"
