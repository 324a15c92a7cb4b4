"""How a teaser names an article: by its title, or by an address that ends in its slug. Pure."""

import re
import unicodedata
from collections.abc import Iterator
from hashlib import blake2b
from urllib.parse import unquote, urlsplit

from publisher.intake.model import Teaser

TEASERS_AT_MOST = 20
"""An article with more of them names nothing in particular; the others are not looked up."""
_WORD = re.compile(r"\w+")
_QUOTE = re.compile(r"['’‘`´]")


def names_of(*, title: str, slug: str, canonical_url: str) -> tuple[int, ...]:
    """Return the keys by which a teaser may name an article."""
    return _keys(("title", _folded(title)), ("url", _address(canonical_url)), ("slug", slug.lower()))


def keys_of(teaser: Teaser) -> tuple[int, ...]:
    """Return the keys of what a teaser may name; its address is asked first, being exact."""
    address = _address(teaser.url)
    return _keys(("url", address), ("slug", _slug(address)), ("title", _folded(teaser.title)))


def _folded(title: str) -> str:
    """Return a title without case, punctuation and quotation marks, which differ from copy to copy."""
    plain = _QUOTE.sub("", unicodedata.normalize("NFKC", title).casefold())
    return " ".join(_WORD.findall(plain))


def _address(url: str) -> str:
    """Return what is left of an address that people write in several ways: host and path."""
    try:
        parts = urlsplit(url.strip())
    except ValueError:
        return ""
    host = parts.netloc.lower().removeprefix("www.")
    return f"{host}{unquote(parts.path).rstrip('/')}"


def _slug(address: str) -> str:
    """Return the last part of a path if it can be an article's slug: "news" or "2024" names a page of many."""
    last = address.rpartition("/")[2].lower()
    return last if "-" in last else ""


def _keys(*named: tuple[str, str]) -> tuple[int, ...]:
    return tuple(_hashes(named))


def _hashes(named: tuple[tuple[str, str], ...]) -> Iterator[int]:
    for kind, name in named:
        if name:
            digest = blake2b(f"{kind}\0{name}".encode(), digest_size=8).digest()
            yield int.from_bytes(digest, "little", signed=True)
