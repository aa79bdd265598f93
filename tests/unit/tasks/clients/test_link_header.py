"""What the header Link says, in each form that RFC 8288 allows."""

from __future__ import annotations

import pytest

from tasks.clients.link_header import links

NEXT = "https://example.okta.com/api/v1/users?after=2&limit=1"


@pytest.mark.parametrize(
    "header",
    [
        f'<{NEXT}>; rel="next"',
        f"<{NEXT}>; rel=next",
        f"<{NEXT}>;rel = next",
        f'<{NEXT}> ; REL="NEXT"',
        f'<https://example.okta.com/api/v1/users>; rel="self", <{NEXT}>; rel="next"',
        f'<https://example.okta.com/api/v1/users>; rel="self",<{NEXT}>; rel="next"',
        f'<{NEXT}>; rel="next", <https://example.okta.com/api/v1/users>; rel="self"',
        f'<{NEXT}>; title="a=b; c, d"; rel="next"',
        f'<{NEXT}>; title="say \\"next\\"; rel=self"; rel="next"',
        f'<{NEXT}>; rel="next last"',
        f'<{NEXT}>; rel="next"; rel="self"',
        f'<{NEXT}>; crossorigin; rel="next"',
        f'< {NEXT} >; rel="next"',
        f'<https://example.okta.com/a,b;c=d>; rel="self", <{NEXT}>; rel="next"',
    ],
)
def test_the_next_page_is_found(header: str) -> None:
    assert links(header)["next"] == NEXT


@pytest.mark.parametrize("header", ["", f'<{NEXT}>; rel="self"', f"<{NEXT}>", f'<{NEXT}>; title="rel=next"'])
def test_no_next_page_is_made_up(header: str) -> None:
    assert "next" not in links(header)


def test_of_two_the_first_counts() -> None:
    assert links(f'<{NEXT}>; rel="next", <https://other.example/>; rel="next"')["next"] == NEXT
