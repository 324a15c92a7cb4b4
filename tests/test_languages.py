import pytest

from publisher.languages import closest


@pytest.mark.parametrize(
    ("tag", "found"),
    [("ko", "ko"), ("ko-KR", "ko"), ("KO-kr", "ko"), ("pt-BR", "pt-br"), ("pt", None), ("fr", None), ("", None)],
)
def test_a_tag_means_itself_or_its_primary_part_or_nothing(tag: str, found: str | None) -> None:
    assert closest(tag, ["en", "ko", "pt-br"]) == found
