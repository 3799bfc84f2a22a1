"""Settings from a file and the environment: typed values, or one line that names the key."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.config import ConfigError, Settings, load, secret_names, settings_type

ROOT = Path(__file__).parents[1]


def write(folder: Path, text: str) -> Path:
    path = folder / "config.toml"
    path.write_text(text, encoding="utf-8")
    return path


def read(folder: Path, text: str, environment: str = "") -> Settings:
    dotenv = folder / "environment"
    dotenv.write_text(environment, encoding="utf-8")
    return load(write(folder, text), environment_file=dotenv)


def test_an_empty_file_means_all_defaults(tmp_path: Path) -> None:
    settings = read(tmp_path, "")
    assert settings.student.child == "mia"
    assert (settings.student.model, settings.student.fallback) == ("starter", "base")
    assert settings.data.resolve() == tmp_path / "data"
    assert Path(settings.database).resolve() == tmp_path / "data" / "pupil.db"
    assert all(getattr(settings, name) is None for name in secret_names())


def test_the_shipped_file_is_valid_and_says_the_defaults() -> None:
    shipped = load(ROOT / "config.toml", environment_file=None)
    assert shipped.student == Settings().student
    assert shipped.classroom == Settings().classroom


def test_relative_paths_start_at_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    settings = read(tmp_path, 'data = "d"\ndatabase = "x/p.db"\n[engine]\ngguf = "m.gguf"')
    assert settings.data.resolve() == tmp_path / "d"
    assert Path(settings.database).resolve() == tmp_path / "x" / "p.db"
    assert settings.engine.gguf is not None
    assert settings.engine.gguf.resolve() == tmp_path / "m.gguf"
    assert read(tmp_path, 'data = "/srv/d"').data == Path("/srv/d")


def test_secrets_come_from_the_environment_before_the_env_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-from-the-environment")
    settings = read(
        tmp_path, "", "OPENAI_API_KEY=sk-from-the-file\nDISCORD_TOKEN=from-the-file\nSOMETHING=else\n"
    )
    assert settings.openai_api_key is not None
    assert settings.openai_api_key.get_secret_value() == "sk-from-the-environment"
    token = settings.key("DISCORD_TOKEN")
    assert token is not None
    assert token.get_secret_value() == "from-the-file"
    assert "sk-from" not in repr(settings)
    assert "sk-from" not in settings.model_dump_json()


def test_other_variables_of_the_environment_are_not_for_us(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("DATA", "LOG", "DATABASE", "STUDENT", "METRICS"):
        monkeypatch.setenv(name, "/somewhere")
    assert read(tmp_path, "").log.level == "info"
    assert read(tmp_path, "").data.resolve() == tmp_path / "data"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgres://u:p@h/d", "postgresql+asyncpg://u:p@h/d"),
        ("postgresql://u:p@h/d", "postgresql+asyncpg://u:p@h/d"),
        ("postgresql+asyncpg://u:p@h/d", "postgresql+asyncpg://u:p@h/d"),
    ],
)
def test_the_database_url_of_the_environment(tmp_path: Path, url: str, expected: str) -> None:
    assert read(tmp_path, "", f"PUPIL_DATABASE_URL={url}\n").database_url == expected
    assert read(tmp_path, 'database = "/x/p.db"').database_url == "sqlite+aiosqlite:////x/p.db"


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("colour = 1", ["'colour'", "student"]),
        ("[student]\nchilt = 'mia'", ["'student.chilt'", "did you mean 'child'"]),
        ("[student]\nchild = 7", ["student.child"]),
        ("[classroom]\nqueue = 0", ["classroom.queue"]),
        ("[classroom]\nreply_seconds = 'soon'", ["classroom.reply_seconds"]),
        ("[log]\nlevel = 'loud'", ["log.level", "debug"]),
        ("[privacy]\nconsent = 'always'", ["privacy.consent", "opt_in"]),
        ("[openai]\nbase_url = 'api.openai.com'", ["openai.base_url", "https://"]),
        ("[models.gpt]\nmodle = 'x'", ["models.gpt"]),
        ("[models.gpt]\nmodel = 'x'\ncolour = 1", ["models.gpt.colour"]),
        ("[models.data]\nmodel = 'x'\ncolour = 1", ["models.data.colour", "timeout_seconds"]),
        ("[models.student]\nmodel = 'x'\nmax_token = 9", ["did you mean 'max_tokens'"]),
        (
            "[models.gpt]\nprovider = 'azure'\nmodel = 'x'\nbase_url = 'http://x'",
            ["models.gpt", "api_version"],
        ),
        ("[models.gpt]\nprovider = 'compatible'\nmodel = 'x'", ["models.gpt", "base_url"]),
        ("[models.base]\nmodel = 'x'", ["models", "'base'", "another name"]),
        ("models = 3", ["models"]),
        ("student = 'mia'", ["student"]),
        ("slack_bot_token = 'xoxb-1'", ["SLACK_BOT_TOKEN", ".env"]),
        ("x = ", ["config.toml"]),
        ("x = 1\nx = 2", ["config.toml"]),
    ],
)
def test_what_is_wrong_is_named_in_one_line(tmp_path: Path, text: str, holds: list[str]) -> None:
    with pytest.raises(ConfigError) as raised:
        read(tmp_path, text)
    assert "\n" not in str(raised.value)
    assert "config.toml" in str(raised.value)
    for each in holds:
        assert each in str(raised.value)


def test_a_secret_in_the_file_is_not_repeated(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as raised:
        read(tmp_path, "openai_api_key = 'sk-very-secret-1234'")
    assert "sk-very" not in str(raised.value)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such file"):
        load(tmp_path / "none.toml")
    (tmp_path / "config.toml").write_bytes(b'data = "caf\xe9"')
    with pytest.raises(ConfigError, match=r"config\.toml"):
        load(tmp_path / "config.toml")


def test_a_home_nobody_has(tmp_path: Path) -> None:
    assert read(tmp_path, '[engine]\ngguf = "~nobody-here/m.gguf"').engine.gguf is not None


def test_nothing_is_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert load().student.child == "mia"


def test_settings_cannot_be_changed() -> None:
    settings = Settings()
    with pytest.raises(ValueError, match="frozen"):
        settings.data = Path("x")
    with pytest.raises(ValueError, match="frozen"):
        settings.student.child = "eli"


KEYS = st.sampled_from(
    [
        *settings_type().model_fields,
        "child",
        "queue",
        "model",
        "gguf",
        "port",
        "level",
        "x",
        "",
        "a\nb",
        "é",
    ]
)
VALUES = st.recursive(
    st.booleans() | st.integers(-10, 10**6) | st.floats() | st.text(st.characters(codec="utf-8"), max_size=8),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=6,
)


def toml(value: object) -> str:
    """A value as inline TOML."""
    match value:
        case bool():
            return str(value).lower()
        case str():
            return json.dumps(value).replace("\x7f", "\\u007f")
        case list():
            return f"[{', '.join(map(toml, value))}]"
        case dict():
            return "{" + ", ".join(f"{toml(name)} = {toml(item)}" for name, item in value.items()) + "}"
        case _:
            return repr(value)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
@given(st.dictionaries(KEYS, VALUES, max_size=4))
def test_any_toml_gives_settings_or_a_config_error(tmp_path: Path, raw: dict[str, object]) -> None:
    text = "\n".join(f"{toml(name)} = {toml(value)}" for name, value in raw.items())
    try:
        assert isinstance(read(tmp_path, text), Settings)
    except ConfigError as error:
        assert str(error).startswith(str(tmp_path))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=60))
def test_any_bytes_give_settings_or_a_config_error(tmp_path: Path, raw: bytes) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(raw)
    try:
        assert isinstance(load(path, environment_file=None), Settings)
    except ConfigError as error:
        assert str(error)
