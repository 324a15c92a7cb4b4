"""Files in which another system hands over all its posts: known by how they begin, read post by post."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from publisher.errors import SubmissionError
from publisher.intake.ghost import posts_of_ghost
from publisher.intake.model import Draft
from publisher.intake.wordpress import posts_of_wordpress

HEAD = 64 * 1024
"""Bytes in which a file must show what it is."""


@dataclass(frozen=True, kw_only=True)
class LeftOut:
    """A post that is not taken along."""

    name: str
    """Its title or number."""
    problem: str
    is_refused: bool = True
    """False: it was never public, a draft or a page, so nobody misses it."""


def system_of(source: BinaryIO) -> str:
    """Return which system a file is of, and leave it at its beginning. Raises SubmissionError."""
    source.seek(0)
    head = source.read(HEAD).lstrip(b"\xef\xbb\xbf \t\r\n")
    source.seek(0)
    if head.startswith(b"<") and b"wordpress.org/export/" in head:
        return "WordPress"
    if head.startswith(b"{") and b'"db"' in head:
        return "Ghost"
    if head.startswith(b"<"):
        raise SubmissionError(
            "This XML is no export of WordPress. Export it there once more: Tools, Export, All content."
        )
    if head.startswith(b"PK\x03\x04"):
        raise SubmissionError("This is an archive. Unpack it, and import the .xml or .json file that is in it.")
    raise SubmissionError("This is neither an export of WordPress (.xml) nor one of Ghost (.json).")


def posts(source: BinaryIO, *, address: str = "") -> Iterator[Draft | LeftOut]:
    """
    Yield what a file holds, post by post: the public ones as drafts.

    Args:
        source: The file; it is read twice where that saves memory.
        address: Of the old site, for links within it.

    Raises:
        SubmissionError: It is no such file, or is damaged from here on.

    """
    read = posts_of_wordpress if system_of(source) == "WordPress" else posts_of_ghost
    for post in read(source, address.rstrip("/")):
        if post.left_out:
            yield LeftOut(name=post.name, problem=post.left_out, is_refused=post.is_missed)
            continue
        try:
            yield post.draft()
        except SubmissionError as problem:
            yield LeftOut(name=post.name, problem=problem.problem)
