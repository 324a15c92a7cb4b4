import pytest

from publisher.names import proper_names


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Users of Theqoo and FM Korea wrote to the KF-21 team.", {"Theqoo", "FM Korea", "KF-21"}),
        ("Theqoo begins this sentence. Naver begins that one.", set()),
        ("They asked President Park Min-ho, then Minister Oh.", {"Park Min-ho", "Oh"}),
        ("It was said on Tuesday Yonhap would close in May.", {"Yonhap"}),
        ("When I met Mr. Kim of the South Koreans in North Korea, he spoke English.", set()),
        ("Fans call it 전세 in Seoul’s north.", {"Seoul"}),
        ("He left the état-major for the École Normale.", {"École Normale"}),
        ("a" + " A" * 3 + "b" * 100, set()),
    ],
)
def test_names_are_told_by_capitals_within_a_sentence(text: str, expected: set[str]) -> None:
    assert proper_names(text, "en") == expected


def test_latin_names_stand_out_in_korean() -> None:
    text = "Naver와 FM Korea는 https://Bad.example/Path 를 지웠다. BTS의 팬은 K-pop을 좋아한다. A는 글자다."

    assert proper_names(text, "ko") == {"Naver", "FM Korea", "BTS", "K-pop"}


def test_capitals_tell_nothing_in_german() -> None:
    assert proper_names("Man sah das Haus und die Straße in Seoul.", "de") == set()
