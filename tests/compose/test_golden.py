import pytest

from tests.compose.golden import FOLDER, rendered

RENDERED = rendered()


@pytest.mark.parametrize("name", RENDERED)
def test_a_mail_is_byte_for_byte_what_was_looked_at(name: str) -> None:
    """A change of one template must not change another mail by the way; README.md says how to renew them."""
    assert RENDERED[name].encode() == (FOLDER / name).read_bytes()


def test_no_golden_mail_is_left_over() -> None:
    """A file that nothing is compared with would seem to prove something."""
    assert {path.name for path in FOLDER.iterdir()} == {*RENDERED, "README.md"}
