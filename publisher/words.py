"""Words, languages and sentences of a text; the archive's search, related links and the guide share them."""

import re
import threading
import unicodedata
from collections.abc import Iterable, Iterator
from itertools import chain, pairwise

import Stemmer

HANGUL = "가-힣"
KANA = "\u3041-\u30ff"
HAN = "\u3005\u3400-\u4dbf\u4e00-\u9fff"

STOP_WORDS = frozenset(
    """
    a about above after again against ain all also am an and any are aren as at be because been before being below
    between both but by can cannot could couldn did didn do does doesn doing don down during each few for from further
    had hadn has hasn have haven having he her here hers herself him himself his how i if in into is isn it its itself
    just ll me more most my myself no nor not now of off on once only or other our ours ourselves out over own re said
    same say says she should shouldn so some such than that the their theirs them themselves then there these they this
    those through to too under until up ve very was wasn we were weren what when where which while who whom whose why
    will with would wouldn you your yours yourself yourselves
    """.split()  # noqa: SIM905 (a hundred and fifty quoted words read worse)
)
"""Words that tell nothing about an article. "us" is not among them: it is a country too."""

LANGUAGE_SHARE = 0.2
"""Share of a script among the letters that makes it the language: a Korean article may name many Latin names."""
KANA_SHARE = 0.05
"""Japanese is mostly Han characters and kana; Chinese has no kana but in a name."""
LANGUAGE_CHARS = 5_000

ABBREVIATIONS = frozenset(
    """
    adm apr aug ave brig capt co col corp dec dept dr eds est feb fig gen gov hon inc jan jr lt ltd maj messrs mr mrs
    ms mt nov oct pres prof rep rev sen sept sgt sr st supt vol vs
    """.split()  # noqa: SIM905 (as above)
)

_SPACELESS = HANGUL + KANA + HAN
_WORD = re.compile(rf"[{HANGUL}]+|[{KANA}{HAN}]+|[^\W_{_SPACELESS}]+")
_IN_PAIRS = re.compile(f"[{_SPACELESS}]")
_POSSESSIVE = re.compile(r"['’][sS]\b(?<=\w..)")
_ACRONYM = re.compile(r"\b(?:[A-Za-z]\.){2,}")
_ACRONYM_INSIDE = re.compile(r"\.[A-Za-z]\.")
"""Begins with a plain character, so a text without acronyms is passed over five times as fast."""
_RANGES = {
    "ko": f"{HANGUL}\u1100-\u11ff\u3131-\u318e",
    "zh": HAN,
    "ar": "\u0600-\u06ff\u0750-\u077f",
    "ru": "\u0400-\u04ff",
}
_SCRIPTS = {language: re.compile(f"[{script}]") for language, script in _RANGES.items()}
_KANA = re.compile(f"[{KANA}]")
_OTHER_SCRIPT = re.compile(f"[{KANA}{''.join(_RANGES.values())}]")
_ENDING = re.compile(r"\s*\n\s*|[.!?…]+[\"'”’»)\]]*\s+|[。！？]+[\"'”’」』）)]*\s*")
_LAST_WORD = re.compile(r"([^\W\d_]+)\.$")


class _Stemmers(threading.local):
    """One stemmer for each thread; a stemmer must not be used by two at once."""

    def __init__(self) -> None:
        # Its own cache gains 20 % on repeated words and costs as much on new ones: off.
        self.english = Stemmer.Stemmer("english", 0)


_stemmers = _Stemmers()


def tokens(text: str) -> list[str]:
    """
    Return the words of a text as they are compared: lower case, without stop words, stemmed.

    Runs of Hangul, kana and Han become overlapping pairs of characters: Korean writes its particles
    onto the word and the others write no spaces, so whole words would hardly ever meet again.
    Tokens hold letters and digits only.
    """
    written = spelled(text.lower())
    known = vocabulary(set(written))
    return list(chain.from_iterable(known[word] for word in written if word in known))


def spelled(text: str) -> list[str]:
    """Return the words of a text as they are written, without a possessive 's; U.S. is US."""
    text = _POSSESSIVE.sub("", unicodedata.normalize("NFC", text))
    if _ACRONYM_INSIDE.search(text):
        text = _ACRONYM.sub(_without_dots, text)
    return _WORD.findall(text)


def vocabulary(written: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Return the tokens of each word, for words as `spelled` gives them; see `tokens`."""
    kept = {}
    for word in written:
        low = word.lower()
        if low not in STOP_WORDS and (len(low) > 1 or not low.isascii()):  # a letter tells nothing; a syllable does
            kept[word] = low
    stemmed = _stemmed(list(kept.values()))
    found: dict[str, tuple[str, ...]] = dict(zip(kept, zip(stemmed), strict=True))
    if _IN_PAIRS.search("".join(kept)):
        found |= {word: tuple(_parts(word)) for word in kept if _IN_PAIRS.match(word)}
    return found


def detect_language(text: str) -> str:
    """Return `ko`, `ja`, `zh`, `ar` or `ru` by the script of a text's first 5,000 characters, else `en`."""
    opening = unicodedata.normalize("NFC", text[:LANGUAGE_CHARS])
    other = len(_OTHER_SCRIPT.findall(opening))
    letters = sum(map(str.isalpha, opening)) if other else 0
    if other <= letters * min(KANA_SHARE, LANGUAGE_SHARE):
        return "en"
    found = {language: len(script.findall(opening)) for language, script in _SCRIPTS.items()}
    kana = len(_KANA.findall(opening))
    if kana > letters * KANA_SHARE:
        found["ja"] = kana + found.pop("zh")
    language = max(found, key=lambda each: found[each])
    return language if found[language] > letters * LANGUAGE_SHARE else "en"


def sentences(text: str) -> list[str]:
    """
    Return a text's sentences; a line end is always an end of a sentence too.

    Where a full stop may belong to an abbreviation or an initial, two sentences stay together
    rather than one being torn apart.
    """
    return list(_sentences(text))


def first_sentences(text: str, at_most_chars: int) -> str:
    """Return as many whole sentences as fit; a first sentence that does not fit is cut between words, with …."""
    taken = ""
    for sentence in _sentences(text):
        longer = f"{taken} {sentence}" if taken else sentence
        if len(longer) > at_most_chars:
            return taken or _cut(sentence, at_most_chars)
        taken = longer
    return taken


def _stemmed(parts: list[str]) -> list[str]:
    stemmed: list[str] = _stemmers.english.stemWords(parts)
    return stemmed


def _parts(word: str) -> Iterable[str]:
    if word.isascii() or len(word) == 1 or not _IN_PAIRS.match(word):
        return (word,)
    return map("".join, pairwise(word))


def _without_dots(found: re.Match[str]) -> str:
    return found[0].replace(".", "")


def _sentences(text: str) -> Iterator[str]:
    start = 0
    for ending in _ENDING.finditer(text):
        if _is_end(text, ending):
            if sentence := text[start : ending.end()].strip():
                yield sentence
            start = ending.end()
    if sentence := text[start:].strip():
        yield sentence


def _is_end(text: str, ending: re.Match[str]) -> bool:
    mark = ending[0].lstrip()[:1]
    if mark not in (".", "!", "?", "…"):
        return True
    following = text[ending.end() : ending.end() + 1]
    if following.islower():
        return False
    last = _LAST_WORD.search(text, max(0, ending.start() - 16), ending.start() + 1)
    if mark != "." or last is None:
        return True
    word = last[1].lower()
    if word == "no":
        return not following.isdigit()
    return word not in ABBREVIATIONS and not (len(word) == 1 and word.isascii())


def _cut(sentence: str, at_most_chars: int) -> str:
    if at_most_chars < 1:
        return ""
    room = sentence[:at_most_chars]
    head, _, rest = room.rpartition(" ")
    whole = head if rest and head else room[:-1]
    return f"{whole.rstrip(' ,;:–—-')}…"
