"""Tables that commands write into Markdown pages, each between <!-- NAME --> and <!-- /NAME -->."""

from __future__ import annotations

from collections.abc import Mapping


def renewed(page: str, contents: Mapping[str, str]) -> str:
    """The page's text with what stands between the markers of each name replaced; names that it lacks are left out."""
    for name, content in contents.items():
        before, opening, rest = page.partition(f"<!-- {name} -->\n")
        _, closing, after = rest.partition(f"<!-- /{name} -->")
        if opening and closing:
            page = before + opening + content + closing + after
    return page
