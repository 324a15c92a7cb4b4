"""What of a file can run, and so is no part of the article: its writer is told that it was left out, and where."""

import re

from publisher.intake.read import decoded, is_plain_text

_CAN_RUN = re.compile(
    r"<script\b|<[a-z][^<>]{0,2000}?\son[a-z]+\s*=|\b(?:href|src|action)\s*=\s*\\?[\"']?\s*(?:javascript|vbscript):",
    re.IGNORECASE,
)


def left_out(data: bytes, *, name: str = "") -> str:
    """
    Return a sentence that says which scripts of a file were left out of the article; empty: there are none.

    Args:
        data: What `read` has read already, so it is good.
        name: The file's name, as `read` was told it.

    """
    source = decoded(data)
    if is_plain_text(name, source):
        return ""
    places = [found.start() for found in _CAN_RUN.finditer(source)]
    if not places:
        return ""
    line = source.count("\n", 0, places[0]) + 1
    if len(places) == 1:
        return f"A script in line {line:,} was left out."
    return f"{len(places):,} scripts were left out, the first of them in line {line:,}."
