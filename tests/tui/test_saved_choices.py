"""What was chosen on screen is there the next time, and a person's own file stays their own."""

from __future__ import annotations

import os
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from person import dashboard

from engine import InputError
from tui.actions.table import ALL
from tui.config import settings
from tui.config.settings import Settings, changed, keep

pytestmark = pytest.mark.anyio

THEIRS = """\
# mine, do not touch
fps = 12   # slow line
theme = "amber-crt"  # like at work

[keys]
# theme = "no"
"peer.kill" = "ctrl+k"   # safer
theme = "x"
"""


def test_one_line_changes_and_its_comment_stays() -> None:
    after = changed(THEIRS, "theme", "paper")
    assert after == THEIRS.replace('"amber-crt"', '"paper"')


def test_a_new_setting_is_written_below_the_comment_that_offers_it_or_at_the_top() -> None:
    assert changed(THEIRS, "density", "compact") == 'density = "compact"\n' + THEIRS
    offered = settings.template(ALL)
    after = changed(offered, "glyphs", "ascii")
    assert set(after.splitlines()) - set(offered.splitlines()) == {'glyphs = "ascii"'}
    assert after.index('# glyphs = "braille"') < after.index('glyphs = "ascii"') < after.index("[keys]")
    assert changed("", "reduced_motion", True) == "reduced_motion = true\n"


@pytest.mark.parametrize(
    "text",
    [
        "theme = ",
        "theme.deep = 1\n",
        "keys = {\n",
        "[theme]\ndeep = 1\n",
        "theme = 1\ntheme = 2\n",
    ],
)
def test_a_file_that_cannot_be_changed_safely_is_not_changed(text: str) -> None:
    with pytest.raises(InputError):
        changed(text, "theme", "paper")


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ('theme = """\nfirst\nsecond""" # c\nfps = 3\n', 'theme = "paper" # c\nfps = 3\n'),
        ('a = """\n[keys]\n# theme = 1\n"""\ntheme="x"\n', 'a = """\n[keys]\n# theme = 1\n"""\ntheme="paper"\n'),
        ("fps = 1\n  'theme'  =  'x'  # c\n[keys]\n", "fps = 1\n  'theme'  =  \"paper\"  # c\n[keys]\n"),
        ("theme = [\n 1,\n]\r\n[keys]", 'theme = "paper"\r\n[keys]'),
        ("a = 1\n# theme = 2\nb = 3", 'a = 1\n# theme = 2\ntheme = "paper"\nb = 3'),
        ("a = 1\n# theme = 2", 'theme = "paper"\na = 1\n# theme = 2'),
    ],
)
def test_whatever_form_the_file_has_only_one_value_changes(text: str, after: str) -> None:
    assert changed(text, "theme", "paper") == after


def test_a_byte_order_mark_stays(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(b"\xef\xbb\xbffps = 3\n")
    keep(path, "theme", "paper", ALL)
    assert path.read_bytes() == b'\xef\xbb\xbftheme = "paper"\nfps = 3\n'
    assert settings.load(path).theme == "paper"


def test_a_link_to_a_file_that_is_not_there_stays_a_link(tmp_path: Path) -> None:
    real, link = tmp_path / "dotfiles" / "swarmtop.toml", tmp_path / "config.toml"
    link.symlink_to(real)
    assert settings.write_default(link, ALL)
    assert link.is_symlink()
    assert real.read_text() == settings.template(ALL)


@given(st.text(), st.text(min_size=1, max_size=20), st.booleans())
def test_the_rest_of_the_file_stays_as_it_is(about: str, value: str, before: bool) -> None:
    """With any comments and any line ends, all lines but one are unchanged."""
    comment = "".join(ch for ch in about if ch.isprintable())
    text = f"# {comment}\r\nfps = 3 # {comment}\r\n" + ("theme = 'old' # here\n" if before else "") + "[keys]\n"
    after = changed(text, "theme", value)
    assert tomllib.loads(after) == tomllib.loads(text) | {"theme": value}
    kept = [line for line in text.split("\n") if not line.startswith("theme")]
    assert [line for line in after.split("\n") if not line.startswith("theme")] == kept


def test_a_file_is_replaced_in_one_piece_and_a_link_stays_one(tmp_path: Path) -> None:
    real, link = tmp_path / "dotfiles" / "swarmtop.toml", tmp_path / "config.toml"
    real.parent.mkdir()
    real.write_text(THEIRS)
    real.chmod(0o600)
    link.symlink_to(real)
    keep(link, "theme", "paper", ALL)
    assert link.is_symlink()
    assert settings.load(real).theme == "paper"
    assert real.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in real.parent.iterdir()] == ["swarmtop.toml"]


def test_without_a_file_one_with_explanations_is_written(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "config.toml"
    keep(path, "theme", "paper", ALL)
    assert settings.load(path) == Settings(theme="paper", tour=True, path=path)
    assert "# fps = 30" in path.read_text()


def test_what_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written"):
        keep(tmp_path / "file" / "config.toml", "theme", "paper", ALL)
    bad = tmp_path / "config.toml"
    bad.write_bytes(b"\xff")
    with pytest.raises(InputError, match="not UTF-8"):
        keep(bad, "theme", "paper", ALL)
    assert bad.read_bytes() == b"\xff"


async def test_a_theme_that_was_chosen_is_used_the_next_time(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text("# mine\nfps = 20\n")
    async with dashboard(settings=settings.load(path)) as person:
        await person.press("t", "down", "enter")
        chosen = person.app.theme
        assert f"Saved for the next start, in {path}" in person.toasts
        person.app.preferences.look_at_files()
        assert person.app.theme == chosen
        await person.press("t", "down", "escape")
    assert path.read_text() == f'theme = "{chosen}"\n# mine\nfps = 20\n'
    async with dashboard(settings=settings.load(path)) as person:
        assert person.app.theme == chosen


async def test_density_motion_and_glyphs_are_kept_too(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    async with dashboard(settings=Settings(path=path)) as person:
        person.main.action_do("app.density")
        person.main.action_do("app.motion")
        person.main.action_do("app.glyphs_ascii")
        await person.press("space")
        odd = [strip.text for strip in person.main._compositor.render_strips() if not strip.text.isascii()]
        assert not odd
        person.main.action_do("app.glyphs_block")
        await person.press("space")
    found = settings.load(path)
    assert (found.density, found.reduced_motion, found.glyphs) == ("compact", True, "block")


async def test_nobody_without_a_configuration_gets_one(home: Path) -> None:
    async with dashboard() as person:
        await person.press("t", "down", "enter")
        person.main.action_do("app.density")
    assert not list(home.rglob("*.toml"))


@pytest.mark.skipif(os.name == "nt", reason="links and modes of files are otherwise there")
async def test_a_file_that_cannot_be_written_is_reported_once_and_the_theme_is_used(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text("theme = ")
    async with dashboard(settings=replace(Settings(), path=path)) as person:
        before = person.app.theme
        await person.press("t", "down", "enter")
        assert person.app.theme != before
        assert person.toasts.count("Kept only until you leave") == 1
    assert path.read_text() == "theme = "
