import io
import struct
import zlib
from pathlib import Path

import pytest
from PIL import Image

from publisher.errors import SubmissionError
from publisher.intake.pictures import picture_of, read_picture


def a_picture(form: str, *, orientation: int = 1) -> bytes:
    buffer = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.new("RGB", (60, 40), "teal").save(buffer, form, exif=exif) if form != "GIF" else Image.new(
        "P", (60, 40)
    ).save(buffer, form)
    return buffer.getvalue()


def a_png_header(width: int, height: int) -> bytes:
    head = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + head + struct.pack(">I", zlib.crc32(head)) + b"\0\0\0\0IDAT"


@pytest.mark.parametrize(
    ("form", "media_type"),
    [("JPEG", "image/jpeg"), ("PNG", "image/png"), ("WEBP", "image/webp"), ("GIF", "image/gif")],
)
def test_the_four_kinds_of_pictures_are_read(form: str, media_type: str, tmp_path: Path) -> None:
    path = tmp_path / "picture.of-any-name"
    path.write_bytes(a_picture(form))

    picture = read_picture(path)

    assert (picture.media_type, picture.width, picture.height) == (media_type, 60, 40)
    assert picture.data == path.read_bytes()


def test_a_picture_taken_upright_is_measured_as_it_is_shown() -> None:
    picture = picture_of(a_picture("JPEG", orientation=6), name="p.jpg")

    assert (picture.width, picture.height) == (40, 60)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "p: It is no JPEG, PNG, WebP or GIF picture."),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "p: It is no JPEG, PNG, WebP or GIF picture."),
        (a_picture("TIFF"), "p: It is no JPEG, PNG, WebP or GIF picture."),
        (a_picture("JPEG")[:-200], "p: The picture is damaged."),
        (a_picture("PNG")[:-40], "p: The picture is damaged."),
        (a_png_header(8000, 5001), "p: It has 8000 × 5001 pixels; at most 40,000,000 are possible."),
        (a_png_header(50_000, 50_000), "p: It has more than 40,000,000 pixels."),
        (b"\xff\xd8\xff" + bytes(10 * 1024 * 1024), "p: It is larger than 10 MB (10,485,760 bytes)."),
    ],
)
def test_what_is_no_usable_picture_is_told(data: bytes, sentence: str) -> None:
    with pytest.raises(SubmissionError) as refused:
        picture_of(data, name="p")

    assert str(refused.value) == sentence


def test_a_picture_that_is_not_there_is_told_without_its_folder(tmp_path: Path) -> None:
    for path in (tmp_path / "gone.jpg", tmp_path, tmp_path / "nul\x00.jpg"):
        with pytest.raises(SubmissionError, match=r"There is no such file|cannot be read") as refused:
            read_picture(path)
        assert str(tmp_path.parent) not in str(refused.value)
