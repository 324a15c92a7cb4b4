"""If-Match: who changes a thing may say which state of it was seen, and loses nobody's change (RFC 9110, 13.1.1)."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Header, HTTPException

PRECONDITION_FAILED = 412
CHANGED = "This was changed since you saw it. Get it once more, and change what it is now."


def etag(values: Mapping[str, Any]) -> str:
    """Return the entity tag of a state: the same values have the same one."""
    text = json.dumps(values, sort_keys=True, default=str, ensure_ascii=False)
    return f'"{hashlib.sha256(text.encode()).hexdigest()[:32]}"'


@dataclass(frozen=True, kw_only=True)
class Match:
    """What a request says it has seen; nothing: it does not care."""

    tags: frozenset[str]

    def check(self, current: str) -> None:
        """Refuse with 412 what was made from another state."""
        if self.tags and not self.tags & {current, "*"}:
            raise HTTPException(PRECONDITION_FAILED, CHANGED, headers={"ETag": current})


async def _match(
    if_match: Annotated[
        str, Header(max_length=1_000, description="The ETag that you have seen; 412 where it is another by now.")
    ] = "",
) -> Match:
    return Match(tags=frozenset(filter(None, (each.strip() for each in if_match.split(",")))))


IfMatch = Annotated[Match, Depends(_match)]
EXAMPLE = '"5f3c1d0a9b8e7f6a5b4c3d2e1f0a9b8c"'
TAGGED: dict[str, Any] = {
    "headers": {"ETag": {"description": "Names this state, for If-Match.", "schema": {"type": "string"}}}
}
"""What the document says of an answer that carries an ETag."""
