import io
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from publisher.errors import SubmissionError
from publisher.intake.model import Picture

MOST_BYTES = 10 * 1024 * 1024
MOST_PIXELS = 40_000_000
"""A current camera's full picture; decoded, it takes 120 MB."""
MEDIA_TYPES = {
    "JPEG": "image/jpeg",
    "MPO": "image/jpeg",  # several JPEG pictures in one file, as some cameras write them; the first one counts
    "PNG": "image/png",
    "WEBP": "image/webp",
    "GIF": "image/gif",
}
FORMATS = ("JPEG", "PNG", "WEBP", "GIF")
ORIENTATION = 0x0112
LYING = frozenset({5, 6, 7, 8})
"""Values of the Exif field that tell a program to turn the picture by 90 degrees (Exif 2.32, section 4.6.4)."""


def read_picture(path: Path) -> Picture:
    """Return the picture in a file, checked to its last byte; SubmissionError says what is wrong."""
    try:
        if not path.is_file():
            raise SubmissionError("There is no such file.", path.name)
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except (OSError, ValueError):
        raise SubmissionError("The file cannot be read.", path.name) from None
    return picture_of(data, name=path.name)


def picture_of(data: bytes, *, name: str) -> Picture:
    """Return the picture that these bytes are; width and height as a browser shows them."""
    if len(data) > MOST_BYTES:
        raise SubmissionError(f"It is larger than 10 MB ({MOST_BYTES:,} bytes).", name)
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            _refuse_huge(image, name)
            image.load()
            width, height = image.size
            is_lying = image.getexif().get(ORIENTATION) in LYING
            media_type = MEDIA_TYPES[str(image.format)]
    except UnidentifiedImageError:
        raise SubmissionError("It is no JPEG, PNG, WebP or GIF picture.", name) from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise SubmissionError(f"It has more than {MOST_PIXELS:,} pixels.", name) from None
    except (OSError, ValueError, SyntaxError, EOFError, KeyError):
        raise SubmissionError("The picture is damaged.", name) from None
    width, height = (height, width) if is_lying else (width, height)
    return Picture(data=data, media_type=media_type, width=width, height=height)


def _refuse_huge(image: Image.Image, name: str) -> None:
    if image.width * image.height > MOST_PIXELS:
        raise SubmissionError(
            f"It has {image.width} × {image.height} pixels; at most {MOST_PIXELS:,} are possible.", name
        )
