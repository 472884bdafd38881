"""A person's own configuration: its settings, mistakes in it, and that keys do what it says."""

from __future__ import annotations

from pathlib import Path

import pytest
from person import dashboard

from tui.actions.table import ALL
from tui.cli.main import main
from tui.config import settings
from tui.config.keymap import is_key, normal, remapped
from tui.config.settings import Settings
from tui.screens.help import HelpScreen
from tui.widgets.panel import TextRows
from tui.widgets.status import KeyBar


def written(folder: Path, text: str) -> Settings:
    path = folder / "config.toml"
    path.write_text(text)
    return settings.load(path)


def test_without_a_file_the_defaults_are_used_and_the_tour_is_shown(tmp_path: Path) -> None:
    assert settings.load(tmp_path / "none.toml") == Settings(tour=True, path=tmp_path / "none.toml")


def test_every_setting_is_read(tmp_path: Path) -> None:
    found = written(
        tmp_path,
        'theme = "paper"\nfps = 12\ndensity = "compact"\nreduced_motion = true\nglyphs = "ascii"\ntour = false\n'
        '[keys]\n"peer.kill" = "ctrl+k"\npeer.censor = ["f5", "b"]\n',
    )
    assert found.complaints == ()
    assert (found.theme, found.fps, found.density, found.glyphs) == ("paper", 12, "compact", "ascii")
    assert (found.reduced_motion, found.tour) == (True, False)
    assert found.keys == {"peer.kill": "ctrl+k", "peer.censor": "f5,b"}


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("fsp = 30", 'no setting is called "fsp"; did you mean "fps"?'),
        ('key = "x"', 'no setting is called "key"; did you mean "keys"?'),
        ("fps = 0", "fps should be a number from 1 to 120, not 0"),
        ('fps = "30"', 'fps should be a number from 1 to 120, not "30"'),
        ("fps = nan", "fps should be a number from 1 to 120, not nan"),
        ("density = 7", "density should be comfortable or compact, not 7"),
        ('reduced_motion = "yes"', 'reduced_motion should be true or false, not "yes"'),
        ('theme = ""', "theme is empty"),
        ("fps = 1000", "fps should be a number from 1 to 120, not 1000"),
        ("fps = true", "fps should be a number from 1 to 120, not true"),
        ('density = "compct"', 'density should be comfortable or compact, not "compct"; did you mean "compact"?'),
        ("tour = 1", "tour should be true or false, not 1"),
        ("theme = []", 'theme should be a text such as "swarm", not a list'),
        ("keys = 3", "keys should be a table, [keys], not 3"),
        ('[keys]\n"peer.kill" = 7', '[keys] "peer.kill" should be a text such as "ctrl+k", not 7'),
    ],
)
def test_a_mistake_is_one_sentence_and_the_rest_is_used(tmp_path: Path, line: str, told: str) -> None:
    found = written(tmp_path, f'glyphs = "block"\n{line}\n')
    assert found.complaints == (f"{tmp_path / 'config.toml'}: {told}",)
    assert found.glyphs == "block"
    assert found.tour


@pytest.mark.parametrize("text", ["theme = ", "a = " + "[" * 5000, '"\x00"', "x = 1\nx = 2"])
def test_a_file_that_is_no_toml_is_reported_and_the_defaults_are_used(tmp_path: Path, text: str) -> None:
    found = written(tmp_path, text)
    assert len(found.complaints) == 1
    assert "the defaults are used" in found.complaints[0]
    assert found.theme is None


def test_a_file_of_bytes_or_a_folder_does_not_stop_the_start(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(b"# fine\n\xff\xfe")
    assert "line 2 is not UTF-8 text" in settings.load(path).complaints[0]
    path.write_bytes(b"#" * 70_000)
    assert "larger than the 65,536 bytes" in settings.load(path).complaints[0]
    assert "a directory" in settings.load(tmp_path).complaints[0]


def test_the_default_file_changes_nothing_and_names_every_key(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "config.toml"
    assert settings.write_default(path, ALL)
    assert settings.load(path) == Settings(tour=True, path=path)
    for key in ALL:
        assert f'# "{key.id}" = "{key.keys}"' in path.read_text()
    path.write_text("fps = 5")
    assert not settings.write_default(path, ALL)
    assert settings.load(path).fps == 5


def test_every_key_of_the_table_can_be_written_as_it_stands(tmp_path: Path) -> None:
    """A line of the default file without its # sets what is the default."""
    lines = "\n".join(f'"{key.id}" = "{key.keys}"' for key in ALL)
    assert remapped(ALL, written(tmp_path, f"[keys]\n{lines}").keys) == (ALL, [])


def test_the_command_config_prints_the_path_and_mistakes(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "config.toml"
    monkeypatch.setattr(settings, "user_file", lambda: path)
    assert main(["config"]) == 0
    assert str(path) in capsys.readouterr().out
    path.write_text('fsp = 3\n[keys]\n"peer.kil" = "k"')
    assert main(["config"]) == 0
    told = capsys.readouterr().out
    assert 'did you mean "fps"?' in told
    assert 'did you mean "peer.kill"?' in told
    monkeypatch.setattr(settings, "user_file", lambda: path / "not" / "here.toml")
    assert main(["config"]) == 2


# --- keys ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written_so", "meant"),
    [
        ("?", "question_mark"),
        ("/", "slash"),
        (",", "comma"),
        (" ", "space"),
        ("K", "K"),
        ("Ctrl+K", "ctrl+k"),
        ("esc", "escape"),
        ("F5", "f5"),
        ("shift+Up", "shift+up"),
        ("ctrl++", "ctrl+plus"),
    ],
)
def test_keys_may_be_written_in_several_ways(written_so: str, meant: str) -> None:
    assert normal(written_so) == meant
    assert is_key(meant)


def test_an_unknown_key_is_reported_with_the_nearest() -> None:
    table, said = remapped(ALL, {"peer.kill": "ctrl+k", "peer.leave": "entr", "peer.kil": "v"}, "c.toml")
    assert said == [
        'c.toml: [keys] "peer.leave" should be a key such as "ctrl+k", not "entr"; did you mean "enter"?',
        'c.toml: [keys] "peer.kil": there is no such key; did you mean "peer.kill"?',
    ]
    assert {key.id: key.shown for key in table if key.id in ("peer.kill", "peer.leave")} == {
        "peer.kill": "^k",
        "peer.leave": "l",
    }


def test_conflicts_are_reported_and_resolved() -> None:
    table, said = remapped(ALL, {"view.upkeep": "x", "ask.slow": "x", "time.pause": "ctrl+c"}, "c.toml")
    keys = {key.id: key.keys for key in table}
    assert keys["view.upkeep"] == "x"
    assert keys["peer.kill"] == ""
    assert keys["ask.slow"] == "s"
    assert keys["time.pause"] == "space"
    assert said == [
        'c.toml: [keys] "ask.slow": view.upkeep has x; s is kept',
        'c.toml: [keys] "time.pause": interrupt needs ctrl+c; space is kept',
        "c.toml: [keys] x now does view.upkeep, so peer.kill has no key; give it one",
    ]


def test_two_keys_can_be_exchanged_and_an_action_can_have_none() -> None:
    table, said = remapped(ALL, {"peer.kill": "c", "peer.censor": "x", "app.theme": ""})
    assert said == []
    keys = {key.id: (key.keys, key.shown) for key in table}
    assert keys["peer.kill"] == ("c", "c")
    assert keys["peer.censor"] == ("x", "x")
    assert keys["app.theme"] == ("", "")


@pytest.mark.anyio
async def test_keys_do_what_the_configuration_says_and_are_shown_so_everywhere() -> None:
    own = Settings(keys={"peer.kill": "ctrl+k", "peer.censor": "x", "run.network": "f6", "app.focus": "f7"})
    async with dashboard(size=(160, 45), settings=own) as person:
        await person.press("right")
        peer = person.session.selection.selected
        assert peer is not None
        await person.press("x")
        assert person.session.swarm.snapshot().censored[peer]
        assert person.state(peer) == 0
        await person.press("c")  # the default key of censoring does nothing now
        assert person.session.swarm.snapshot().censored[peer]
        await person.press("ctrl+k")
        assert person.state(peer) == 1
        await person.press("tab")
        assert person.app.focused is person.view
        await person.press("f7")
        assert person.app.focused is not person.view
        bar = person.main.query_one(KeyBar).render_line(0).text
        assert "^k revive" in bar
        assert "F6 network" in bar
        assert "[^k]" in "\n".join(button.render_line(0).text for button in person.main.query("ActionButton"))  # type: ignore[attr-defined]
        await person.press("question_mark")
        assert isinstance(person.app.screen, HelpScreen)
        await person.pilot.pause()
        told = person.app.screen.query_one("#help", TextRows).text
        assert "^k           Kill the selected peer" in told
        assert "F6           Restart" in told


@pytest.mark.anyio
async def test_a_saved_config_is_used_at_once(tmp_path: Path) -> None:
    own = written(tmp_path, "tour = false\n")
    assert own.path is not None
    async with dashboard(settings=own) as person:
        await person.press("right")
        own.path.write_text('density = "compact"\nthemes = 1\n[keys]\n"peer.kill" = "f9"\n')
        person.app.preferences.look_at_files()
        await person.pilot.pause()
        assert person.main.has_class("-dense")
        assert 'no setting is called "themes"; did you mean "theme"?' in person.toasts
        await person.press("x")
        assert person.state(person.session.selection.selected or 0) == 0
        await person.press("f9")
        assert person.state(person.session.selection.selected or 0) == 1


@pytest.mark.anyio
async def test_a_missing_theme_is_reported_and_the_default_used() -> None:
    own = Settings(theme="papr")
    async with dashboard(settings=own) as person:
        assert person.app.theme == "swarm"
        assert 'theme: there is no theme "papr"; did you mean "paper"? (swarm is used)' in person.toasts
