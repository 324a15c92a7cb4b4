import pytest

from tests.feeds.golden import FOLDER, rendered

RENDERED = rendered()


@pytest.mark.parametrize("name", RENDERED)
def test_a_feed_is_byte_for_byte_what_it_was(name: str) -> None:
    """Readers keep what they fetched by its bytes: they change when we mean it, never by the way."""
    assert RENDERED[name] == (FOLDER / name).read_bytes()


def test_no_golden_feed_is_left_over() -> None:
    """A file that nothing is compared with would seem to prove something."""
    assert {path.name for path in FOLDER.iterdir()} == {*RENDERED, "README.md"}
