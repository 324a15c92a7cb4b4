"""From a text to its signature and its sketch, and both to bytes and back. Pure."""

import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from heapq import nlargest
from itertools import accumulate, chain
from math import log, sqrt
from zlib import crc32

from publisher import words
from publisher.related.model import Embedding, Frequency, Signature, Text, terms

TITLE_BOOST = 1.1
SIZE = 192
"""Terms in a full signature."""
RARENESS = 0.75
"""Less than a whole idf, and roots of counts: measured on news, short and long, better than ln counts times idf."""
COMMON_SHARE = 0.2
"""A term in more articles than this says nothing about one; but not before it is in COMMON_AT_LEAST."""
COMMON_AT_LEAST = 20
ASKED_SHARE = 0.03
"""Terms posted for more of the archive are not looked up: long lists that change no link (measured)."""
ASKED_AT_LEAST = 300
ASKED_POSTINGS = 60_000
"""
Postings that one look-up reads at most, those of the rarest terms: an archive of millions answers as one of 500,000.

Measured with a million articles: the scores of the links are 0.4 % lower, the slowest look-ups take half as long.
"""
SKETCH = 64
IN_PAIRS = frozenset({"ko", "ja", "zh"})
"""Languages whose tokens are pairs of characters; it takes twice as many of them to say as much."""


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What is counted in a text."""

    counts: Mapping[int, int]
    """How often each term occurs."""
    titled: frozenset[int]
    """Terms of the title."""
    sketch: frozenset[int]


def whole(language: str) -> int:
    """Return the term whose frequency counts the articles of a language: the empty word is in all of them."""
    return terms([""], language)[""]


def read(text: Text) -> Reading:
    """Count a text's terms, the title's once more than they stand in the body."""
    counts: dict[int, int] = {}
    for word, found in text.vocabulary.items():
        for token in found:
            term = text.terms[token]
            counts[term] = counts.get(term, 0) + text.often[word]
    title = chain.from_iterable(text.vocabulary.get(word, ()) for word in words.spelled(text.title))
    return Reading(
        counts=counts,
        titled=frozenset(text.terms[token] for token in title),
        sketch=_sketch(text.written),
    )


def sign(reading: Reading, frequencies: Mapping[int, Frequency], *, articles: int) -> Signature:
    """
    Return the best terms of a text by √tf × idf^RARENESS.

    Args:
        reading: What was counted.
        frequencies: How many articles hold each term, this one included.
        articles: How many articles there are in this language, this one included.

    """
    common = max(COMMON_AT_LEAST, COMMON_SHARE * articles)
    weights = {}
    for each, count in reading.counts.items():
        holding = frequencies[each].articles
        if holding <= common:
            boost = TITLE_BOOST if each in reading.titled else 1
            weights[each] = sqrt(count) * log(1 + articles / holding) ** RARENESS * boost
    best = nlargest(SIZE, weights, key=lambda each: (weights[each], each))
    scale = 255 / weights[best[0]] if best else 0
    return Signature(terms=tuple(best), weights=bytes(max(1, round(weights[each] * scale)) for each in best))


def posted(signature: Signature, *, language: str) -> dict[int, int]:
    """Return the terms by which an article is found, best first, with weights in thousandths of its unit vector."""
    size = 48 if language in IN_PAIRS else 24
    best = zip(signature.terms[:size], signature.weights, strict=False)
    return {each: round(1000 * weight / signature.length) for each, weight in best}


def asked(posted_terms: Mapping[int, int], frequencies: Mapping[int, Frequency], *, articles: int) -> dict[int, int]:
    """Return those of an article's posted terms that are worth looking up in the archive, the rarest first."""
    at_most = max(ASKED_AT_LEAST, ASKED_SHARE * articles)
    rare_first = sorted(posted_terms, key=lambda each: (frequencies[each].posted, each))
    read = accumulate(frequencies[each].posted for each in rare_first)
    return {
        each: posted_terms[each]
        for place, (each, postings) in enumerate(zip(rare_first, read, strict=True))
        if frequencies[each].posted <= at_most and (postings <= ASKED_POSTINGS or place == 0)
    }


def pack_signature(signature: Signature) -> bytes:
    """Return a signature as stored: all hashes (32 bits, little-endian), then all weights (8 bits)."""
    return struct.pack(f"<{len(signature.terms)}i", *signature.terms) + signature.weights


def unpack_signature(packed: bytes) -> Signature:
    size = len(packed) // 5
    return Signature(terms=struct.unpack_from(f"<{size}i", packed), weights=packed[4 * size :])


def pack_sketch(sketch: Iterable[int]) -> bytes:
    """Return a sketch as stored: its hashes (32 bits, little-endian), the smallest first."""
    ordered = sorted(sketch)
    return struct.pack(f"<{len(ordered)}I", *ordered)


def pack_embedding(embedding: Embedding | None) -> bytes | None:
    """Return an embedding as stored: the mark of its model (32 bits, little-endian), then its values (8 bits)."""
    return struct.pack("<I", embedding.model) + embedding.values if embedding else None


def unpack_embedding(packed: bytes | None) -> Embedding | None:
    return Embedding(model=struct.unpack_from("<I", packed)[0], values=packed[4:]) if packed else None


def _sketch(written: Sequence[str]) -> frozenset[int]:
    """
    Return the smallest hashes of all runs of three words.

    Source:
        A. Broder, On the resemblance and containment of documents (1997), section 4: the share of
        common values among the smallest of two sets estimates the share of common runs.

    """
    hash_of = {word: crc32(word.lower().encode()) for word in set(written)}
    hashes = [hash_of[word] for word in written]  # spread evenly, so their sums are too
    runs = {
        (first + 3 * second + 7 * third) % 2**32
        for first, second, third in zip(hashes, hashes[1:], hashes[2:], strict=False)
    }
    return frozenset(sorted(runs)[:SKETCH])
