import os
import re
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from publisher.errors import SettingsError
from publisher.settings import SOCKET_PATH_AT_MOST, VARIABLES, Settings, load, redis_socket, unknown

PRODUCTION = {
    "PUBLISHER_BASE_URL": "https://news.example.org",
    "PUBLISHER_SECRET_KEY": "x" * 64,
    "PUBLISHER_MAIL_FROM": "Our News <news@example.org>",
    "PUBLISHER_POSTAL_ADDRESS": "Our News, 1 Example Street, Seoul",
}


def settings(folder: Path, **variables: str) -> Settings:
    return load({"PUBLISHER_DATA_DIR": str(folder)} | {f"PUBLISHER_{name}": value for name, value in variables.items()})


def test_a_newcomer_sets_nothing(tmp_path: Path) -> None:
    found = settings(tmp_path)

    assert found.database_url == f"sqlite:///{tmp_path}/publisher.db"
    assert found.redis_url == f"redis+socket://{redis_socket(tmp_path)}"
    assert found.mail_url == "outbox:"
    assert found.base_url == "http://127.0.0.1:8000"
    assert found.site_name == "Publisher"
    assert found.domain == "publisher.example"
    assert found.is_local
    assert not found.allow_private_fetch


def test_every_setting_is_taken_as_given(tmp_path: Path) -> None:
    found = settings(
        tmp_path,
        DATABASE_URL="postgresql://news:secret@db.example.org:5433/news",
        REDIS_URL="rediss://:secret@redis.example.org:6380/2",
        MAIL_URL="smtps://user:secret@smtp.example.org",
        BASE_URL="https://news.example.org/",
        SECRET_KEY="k" * 24,
        SITE_NAME="Our News",
        MAIL_FROM="Our News <news@mail.example.org>",
        POSTAL_ADDRESS="1 Example Street",
        ALLOW_PRIVATE_FETCH="Yes",
        WEBSUB_HUBS="https://hub.example.org/, https://other.example.net/hub",
        LOG_LEVEL="DEBUG",
    )

    assert found == Settings(
        data_dir=tmp_path,
        database_url="postgresql://news:secret@db.example.org:5433/news",
        redis_url="rediss://:secret@redis.example.org:6380/2",
        mail_url="smtps://user:secret@smtp.example.org",
        base_url="https://news.example.org",
        secret_key="k" * 24,
        site_name="Our News",
        mail_from="Our News <news@mail.example.org>",
        postal_address="1 Example Street",
        allow_private_fetch=True,
        websub_hubs=("https://hub.example.org/", "https://other.example.net/hub"),
        log_level="debug",
    )
    assert found.domain == "mail.example.org"
    assert not found.is_local


def test_what_is_secret_never_shows_in_a_log(tmp_path: Path) -> None:
    found = settings(
        tmp_path,
        DATABASE_URL="postgresql://news:hush@db/news",
        REDIS_URL="redis://:hush@redis",
        MAIL_URL="smtp://user:hush@smtp.example.org",
        SECRET_KEY="hush" * 6,
    )

    assert "hush" not in repr(found)


@pytest.mark.parametrize(
    ("name", "value", "attribute"),
    [
        ("SECRET_KEY", "a-very-secret-key-from-a-file", "secret_key"),
        ("DATABASE_URL", "postgresql://news:secret@db/news", "database_url"),
        ("REDIS_URL", "redis://:secret@redis:6379/0", "redis_url"),
        ("MAIL_URL", "smtp://user:secret@smtp.example.org:587", "mail_url"),
    ],
)
def test_a_secret_may_stand_in_a_file(tmp_path: Path, name: str, value: str, attribute: str) -> None:
    """Containers hand secrets over as files; most editors put a line end behind them."""
    file = tmp_path / "secret"
    file.write_text(value + "\n")

    found = settings(tmp_path, **{f"{name}_FILE": str(file)})

    assert getattr(found, attribute) == value


WRONG = [
    ("BASE_URL", "news.example.org", "must be the site's address, such as https://news.example.org"),
    ("BASE_URL", "ftp://news.example.org", "must be the site's address"),
    ("BASE_URL", "https://", "must be the site's address"),
    ("BASE_URL", "https://news.example.org:99999", "must be the site's address"),
    ("BASE_URL", "https://news.example.org:0", "must be the site's address"),
    ("BASE_URL", "https://user:secret@news.example.org", "must be the site's address"),
    ("BASE_URL", "https://news.example.org/newsletter", "must end after the host and port"),
    ("BASE_URL", "https://news.example.org?a=b", "must end after the host and port"),
    ("DATABASE_URL", "mysql://db/news", "must begin with sqlite:////"),
    ("DATABASE_URL", "sqlite:///news.db", "the whole path of a file"),
    ("DATABASE_URL", "news", "must begin with sqlite:////"),
    ("REDIS_URL", "redis", "must begin with redis://, rediss:// or redis+socket:///"),
    ("REDIS_URL", "redis+socket://relative.sock", "must begin with"),
    ("REDIS_URL", "redis://host:99999/0", "has a port that is no number below 65536"),
    ("MAIL_URL", "mail.example.org", "must be outbox:, or begin with smtp://, smtps:// or sendgrid://"),
    ("MAIL_URL", "outbox:/somewhere", "must be outbox:"),
    ("MAIL_FROM", "Our News", 'must be an address, such as "Our News <news@example.org>"'),
    ("MAIL_FROM", "news@localhost", "must be an address"),
    ("MAIL_FROM", "Our News <news@example.org>\nBcc: all@example.org", "must be an address"),
    ("SECRET_KEY", "short", "must have at least 24 characters"),
    ("ALLOW_PRIVATE_FETCH", "perhaps", "must be yes or no"),
    ("WEBSUB_HUBS", "hub.example.org", "must be addresses, such as https://hub.example.org/"),
    ("LOG_LEVEL", "loud", "must be one of debug, info, warning, error"),
]


@pytest.mark.parametrize(("name", "value", "says"), WRONG)
def test_a_wrong_value_is_one_sentence_that_says_what_to_set(tmp_path: Path, name: str, value: str, says: str) -> None:
    with pytest.raises(SettingsError) as caught:
        settings(tmp_path, **{name: value})

    sentence = str(caught.value)
    assert sentence.startswith(f"PUBLISHER_{name} ")
    assert says in sentence
    assert "\n" not in sentence
    assert "secret" not in sentence


def test_an_empty_variable_counts_as_not_set(tmp_path: Path) -> None:
    """Compose hands over an empty text for whatever .env leaves out."""
    assert settings(tmp_path, DATABASE_URL="", REDIS_URL=" ", SECRET_KEY="", SITE_NAME="").site_name == "Publisher"


def test_a_secret_file_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"PUBLISHER_SECRET_KEY_FILE names a file that cannot be read \(No such"):
        settings(tmp_path, SECRET_KEY_FILE=str(tmp_path / "nowhere"))


def test_a_secret_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_bytes(b"\xff\xfe\x00")

    with pytest.raises(SettingsError, match="it is not UTF-8 text"):
        settings(tmp_path, SECRET_KEY_FILE=str(file))


def test_an_empty_secret_file_is_no_secret(tmp_path: Path) -> None:
    """Or a production site would quietly run with what stands for nothing."""
    file = tmp_path / "secret"
    file.write_text("\n")

    with pytest.raises(SettingsError, match="PUBLISHER_SECRET_KEY_FILE names an empty file"):
        settings(tmp_path, SECRET_KEY_FILE=str(file))


def test_a_variable_and_its_file_cannot_both_be_meant(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("y" * 30)

    with pytest.raises(SettingsError, match="PUBLISHER_SECRET_KEY and PUBLISHER_SECRET_KEY_FILE are both set"):
        settings(tmp_path, SECRET_KEY="x" * 30, SECRET_KEY_FILE=str(file))


@pytest.mark.parametrize("missing", ["SECRET_KEY", "MAIL_FROM", "POSTAL_ADDRESS"])
def test_a_public_site_does_not_start_on_a_newcomers_defaults(tmp_path: Path, missing: str) -> None:
    environment = PRODUCTION | {"PUBLISHER_DATA_DIR": str(tmp_path)}
    del environment[f"PUBLISHER_{missing}"]

    with pytest.raises(SettingsError, match=rf"^PUBLISHER_{missing} must be set"):
        load(environment)


def test_a_public_site_starts_when_all_is_set(tmp_path: Path) -> None:
    assert load(PRODUCTION | {"PUBLISHER_DATA_DIR": str(tmp_path)}).base_url == "https://news.example.org"


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:8123", "[::1]:8000", "0.0.0.0:80"])
def test_ones_own_machine_is_local(tmp_path: Path, host: str) -> None:
    assert settings(tmp_path, BASE_URL=f"http://{host}").is_local


def test_the_key_of_ones_own_machine_is_made_once_and_for_its_owner_only(tmp_path: Path) -> None:
    first = settings(tmp_path / "data").secret_key
    again = settings(tmp_path / "data").secret_key

    assert first == again
    assert re.fullmatch("[0-9a-f]{64}", first)
    assert stat.S_IMODE((tmp_path / "data" / "secret_key").stat().st_mode) == 0o600


def test_processes_that_start_together_agree_on_the_key(tmp_path: Path) -> None:
    """Web, worker and beat look for it in the same instant; a link signed by one must open in the other."""
    with ThreadPoolExecutor(16) as pool:
        keys = set(pool.map(lambda _: settings(tmp_path).secret_key, range(64)))

    assert len(keys) == 1
    assert [each.name for each in tmp_path.iterdir()] == ["secret_key"]


def test_an_empty_key_file_is_named(tmp_path: Path) -> None:
    """A full disk may have left it; a site must not sign its links with nothing."""
    (tmp_path / "secret_key").write_text("")

    with pytest.raises(SettingsError, match=r"secret_key is damaged; remove it"):
        settings(tmp_path)


@pytest.mark.skipif(os.getuid() == 0, reason="root may write everywhere")
def test_a_data_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)

    with pytest.raises(SettingsError, match="PUBLISHER_DATA_DIR names a folder that cannot be written"):
        settings(tmp_path / "data")


def test_a_data_folder_below_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(SettingsError, match=r"PUBLISHER_DATA_DIR names a folder that cannot be written \(Not a dir"):
        settings(tmp_path / "file" / "data")


def test_a_relative_data_folder_means_the_same_everywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    assert load({"PUBLISHER_DATA_DIR": "news"}).data_dir == tmp_path / "news"


def test_a_socket_path_stays_short_however_deep_the_data_folder_lies() -> None:
    """The kernel takes 107 bytes; a longer one would be cut or refused."""
    shallow, deep = Path("/srv/news"), Path("/srv") / ("deep/" * 40)

    assert redis_socket(shallow) == Path("/srv/news/redis/redis.sock")
    assert len(str(redis_socket(deep))) <= SOCKET_PATH_AT_MOST
    assert redis_socket(deep) == redis_socket(deep) != redis_socket(deep / "other")


def test_a_socket_address_may_be_written_the_way_redis_writes_it(tmp_path: Path) -> None:
    assert settings(tmp_path, REDIS_URL="unix:///run/redis.sock").redis_url == "redis+socket:///run/redis.sock"


def test_a_slip_of_the_pen_is_noticed() -> None:
    assert unknown({"PUBLISHER_MAIL_UR": "smtp://…", "PUBLISHER_MAIL_URL": "…", "PATH": "…"}) == ["PUBLISHER_MAIL_UR"]


def test_every_variable_is_explained_to_operators() -> None:
    """docs/operators.md has a row for each, and for none that is not there."""
    guide = (Path(__file__).parent.parent / "docs" / "operators.md").read_text(encoding="utf-8")

    explained = set(re.findall(r"^\| `(PUBLISHER_[A-Z_]+)`", guide, re.MULTILINE))

    assert explained == {name for name in VARIABLES if not name.endswith("_FILE")}
