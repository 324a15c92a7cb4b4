from collections.abc import Collection


def closest(tag: str, languages: Collection[str]) -> str | None:
    """
    Return which of some languages a tag means: itself, its primary part, or none of them.

    Source:
        RFC 4647, section 3.4 (lookup), with the primary part as the only step on the way.

    """
    tag = tag.lower()
    if tag in languages:
        return tag
    primary = tag.partition("-")[0]
    return primary if primary in languages else None
