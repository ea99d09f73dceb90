"""The explorer's page: its words, its charts, what it allows, and labels that come through inert."""

import base64
import re
from hashlib import sha256

from analysis.present.pages.explorer import explorer_page
from tests.present.pages.explorer_frames import HOSTILE, made, page_data


def test_labels_come_through_inert():
    names = (HOSTILE, '=α & "Ω" 50 %')
    page = explorer_page(made(names), title=HOSTILE, label=HOSTILE, unit=HOSTILE, time_zero=HOSTILE, report="a&b.html")
    assert page.count("</script>") == 3
    assert "onerror" in page
    assert "<img src=x" not in page
    assert [endpoint["name"] for endpoint in page_data(page)["endpoints"]] == list(names)
    assert 'href="a&amp;b.html"' in page


def test_the_page_allows_its_own_scripts_and_nothing_else():
    page = explorer_page(made(), title="T", label="L")
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page).group(1)
    scripts = re.findall(r"<script>(.*?)</script>", page, flags=re.DOTALL)
    digests = [base64.b64encode(sha256(script.encode()).digest()).decode() for script in scripts]
    assert policy.startswith("default-src 'none'; script-src ")
    assert re.findall(r"'sha256-([^']*)'", policy) == digests
    assert "unsafe-eval" not in policy
    assert "script-src 'unsafe" not in policy
    assert not re.search(
        r'\b(src|srcset|action|data-src)\s*=\s*["\']?(https?:)?//', page.split("<main")[1].split("<script")[0]
    )


def test_the_same_frames_give_the_same_bytes():
    assert explorer_page(made(), title="T", label="L") == explorer_page(made(), title="T", label="L")


def test_a_curve_is_parted_where_few_remain_and_undefined_limits_are_null():
    curves = page_data(explorer_page(made(few=True), title="T", label="L"))["endpoints"][0]["cuts"][0]["curves"]
    assert [(part["group"], part["at_risk"], part["time"]) for part in curves] == [
        ("low", "few", [0.0, 6.0, 12.0]),
        ("high", "few", [0.0, 6.0, 12.0]),
    ]
    assert curves[0]["low"] == [1.0, 0.4, None]
    many = page_data(explorer_page(made(), title="T", label="L"))["endpoints"][0]["cuts"][0]["curves"]
    assert [part["at_risk"] for part in many] == ["many", "many"]


def test_synthetic_cohorts_and_missing_parts_are_named():
    page = explorer_page(made(adjusted=False), title="T", label="L", synthetic=True)
    assert "Synthetic and illustrative: every patient is simulated" in page
    assert "The same, adjusted" not in page
    plain = explorer_page(made(), title="T", label="L")
    assert "Synthetic" not in plain
    assert "The same, adjusted" in plain
    assert "Back to the report" not in plain
    assert "1,100 of 1,200 rows" in plain


def test_buttons_jump_to_the_plans_cuts_and_those_found():
    assert re.findall(
        r'data-place="(\d)"><strong>(.*?)</strong> (.*?)<', explorer_page(made(), title="T", label="L", unit="mM")
    ) == [
        ("1", "0.75 mM", "named by the plan"),
        ("2", "0.8 mM", "best of the search"),
    ]
