from collections.abc import Mapping, Sequence


def named_in(words: Sequence[str], environment: Mapping[str, str]) -> str:
    """Return the service elsewhere that a command is for, before anything else of its words is read; else nothing."""
    for place, word in enumerate(words):
        if word == "--url":
            return words[place + 1] if place + 1 < len(words) else ""
        if word.startswith("--url="):
            return word.removeprefix("--url=")
        if not word.startswith("-") and (place == 0 or words[place - 1] != "--token"):
            break
    return environment.get("PUBLISHER_URL", "").strip()
