"""Themes: what a file may set, how the rest is derived, and that people can tell the colours apart."""

from __future__ import annotations

import subprocess
import sys
from itertools import combinations
from pathlib import Path

import pytest
from textual.app import App, ComposeResult
from textual.theme import BUILTIN_THEMES
from textual.widgets import Static

from engine import InputError, parse_toml
from tui.config import textual_themes, themes
from tui.config.themes import FIELDS, ROLE_NAMES, ROLES, contrast, distance, find, gradient, load, load_all, mix

OURS = sorted(path.stem for path in (Path(themes.__file__).parents[2] / "themes").glob("*.toml"))
THREE = '[theme]\nbackground = "#101418"\nforeground = "#e8ecf0"\nprimary = "#4FA3FF"\n'

# What the three kinds of dichromats see, on linear RGB: Machado, Oliveira and Fernandes 2009, severity 1.
DICHROMATS = {
    "protanopia": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deuteranopia": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "tritanopia": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder of user themes, so that the themes of the person who runs the tests are not used."""
    monkeypatch.setattr(themes, "user_folder", lambda: tmp_path)
    return tmp_path


def names(*groups: str) -> list[str]:
    return [role.name for role in ROLES if role.group in groups]


def as_seen(colour: str, eye: str) -> str:
    red, green, blue = (((int(colour[i : i + 2], 16) / 255 + 0.055) / 1.055) ** 2.4 for i in (1, 3, 5))
    seen = (min(1.0, max(0.0, a * red + b * green + c * blue)) for a, b, c in DICHROMATS[eye])
    return "#" + "".join(
        f"{round(255 * (1.055 * value ** (1 / 2.4) - 0.055) if value > 0.0031 else 0):02x}" for value in seen
    )


# Our own themes


def test_a_theme_is_found_without_reading_the_others(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "mine.toml").write_text(THREE)
    (folder / "broken.toml").write_text("[theme")
    read: list[str] = []

    def reading(text: str, where: str) -> dict[str, object]:
        read.append(where)
        return parse_toml(text, where)

    monkeypatch.setattr(themes, "parse_toml", reading)
    themes._shipped_theme.cache_clear()
    assert find("mine").theme["primary"] == "#4fa3ff"
    assert find("paper").name == "paper"
    assert read == [str(folder / "mine.toml"), "themes/paper.toml"]


def test_eleven_themes_are_shipped_the_default_first_and_each_says_what_it_is() -> None:
    listed = themes.available()
    assert listed[0][0] == themes.DEFAULT
    assert sorted(name for name, _ in listed) == OURS
    assert len(OURS) == 11
    assert all(20 < len(description) < 80 for _, description in listed)
    assert {find(name).dark for name in OURS} == {True, False}


@pytest.mark.parametrize("name", OURS)
def test_a_shipped_theme_can_be_read(name: str) -> None:
    palette = find(name)
    least = 4.5 if name == "high-contrast" else 3.0
    for ground in ("background", "surface"):
        for role in ROLES:
            wanted = max(role.least, least if role.group in ("state", "part", "mark", "chart") else 0)
            ratio = contrast(palette.swarm[role.name], palette.theme[ground])
            assert ratio >= wanted, f"{role.name} on {ground} has {ratio:.2f}"
    for ground in ("background", "surface", "panel", "boost"):
        assert contrast(palette.theme["foreground"], palette.theme[ground]) >= 4.5
    for field in ("primary", "secondary", "accent", "warning", "error", "success"):
        for ground in ("background", "surface", "panel"):
            assert contrast(palette.theme[field], palette.theme[ground]) >= 3, f"{field} on {ground}"


@pytest.mark.parametrize("name", OURS)
def test_roles_in_the_same_picture_have_different_colours(name: str) -> None:
    swarm = find(name).swarm
    pairs = [*combinations(names("state"), 2), *combinations(names("part"), 2), *combinations(names("chart"), 2)]
    pairs += [("alive", part) for part in names("part")]
    pairs += [(state, mark) for state in names("state") for mark in ("asked", "answered")]
    pairs += [("asked", "answered"), ("origin", "asked"), ("origin", "dead"), ("link", "link-tree")]
    for one, other in pairs:
        gap = distance(swarm[one], swarm[other])
        assert gap >= 0.08, f"{one} and {other} are {gap:.3f} apart"


@pytest.mark.parametrize("eye", sorted(DICHROMATS))
@pytest.mark.parametrize(("name", "least"), [("colour-blind", 0.085), (themes.DEFAULT, 0.06)])
def test_a_dichromat_sees_states_parts_and_lines_apart(name: str, least: float, eye: str) -> None:
    swarm = {role: as_seen(colour, eye) for role, colour in find(name).swarm.items()}
    for group in ("state", "part", "chart"):
        for one, other in combinations(names(group), 2):
            assert distance(swarm[one], swarm[other]) >= least, f"{one} and {other}"
    for part in ("question", "answer"):
        for state in names("state"):
            assert distance(swarm[part], swarm[state]) >= least, f"{part} and {state}"


# What a file may say


def test_three_colours_make_a_theme() -> None:
    palette = load(THREE, "mine.toml")
    assert (palette.name, palette.description, palette.dark) == ("mine", "", True)
    assert palette.theme["primary"] == palette.swarm["alive"] == "#4fa3ff"
    assert tuple(palette.theme) == FIELDS
    assert tuple(palette.swarm) == ROLE_NAMES
    for role in ROLES:
        assert contrast(palette.swarm[role.name], palette.theme["background"]) >= role.least, role.name


def test_a_theme_with_a_pale_background_is_light_unless_it_says_otherwise() -> None:
    pale = '[theme]\nbackground = "#ffffff"\nforeground = "#111111"\nprimary = "#005500"\n'
    assert not load(pale, "pale.toml").dark
    assert load(pale + "dark = true\n", "pale.toml").dark


def test_stated_roles_are_kept_and_others_are_derived_from_them() -> None:
    palette = load(THREE + '[swarm]\nquestion = "#FF00ff"\n', "mine.toml")
    assert palette.swarm["question"] == palette.swarm["asked"] == palette.swarm["link-tree"] == "#ff00ff"


def test_one_hue_for_everything_is_turned_until_states_differ() -> None:
    fields = dict.fromkeys(FIELDS, "#40c080") | {"background": "#101010", "foreground": "#f0f0f0"}
    swarm = themes.derive(fields, {})
    bright = ["alive", "dead", "question", "answer", "censored", "colluding", "infrastructure"]
    assert all(distance(swarm[one], swarm[other]) >= 0.07 for one, other in combinations(bright, 2))


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("[theme\n", ("mine.toml: line 1", "not TOML")),
        (THREE + 'primary = "#000000"\n', ("not TOML", "line 5")),
        ("a = " + "[" * 20_000, ("not TOML", "nested too deeply")),
        ("[thema]\n", ('no table is called "thema"', 'did you mean "theme"?')),
        ("swarm = 3\n", ("swarm should be a table",)),
        (THREE + "[swarm]\nalvie = '#ffffff'\n", ('[swarm]: no key is called "alvie"', 'did you mean "alive"?')),
        (THREE + "primry = '#ffffff'\n", ('[theme]: no key is called "primry"', 'did you mean "primary"?')),
        (THREE + "descripton = 'x'\n", ('did you mean "description"?',)),
        (THREE + "accent = 'teal'\n", ("[theme]: accent should be a colour", '"#rrggbb"', 'not "teal"')),
        (THREE + "accent = '#abc'\n", ('not "#abc"',)),
        (THREE + "accent = '#abcdeg'\n", ('not "#abcdeg"',)),
        (THREE + "accent = '#abcdef\\n'\n".replace("'", '"'), ("[theme]: accent should be",)),
        (THREE + f"accent = 0x{'f' * 9000}\n", ("a number is too long",)),
        (THREE + "accent" + ".a" * 90 + " = 1\n", ("not a table",)),
        (THREE + "accent = 1979-05-27\n", ("not 1979-05-27",)),
        (THREE + "dark = 1\n", ("dark should be true or false, not 1",)),
        (THREE + "description = true\n", ("description should be a text",)),
        ("[theme]\nbackground = '#000000'\nprimary = '#ffffff'\n", ("[theme] lacks foreground",)),
        ("", ("[theme] lacks background",)),
        (THREE + '"\\u001b[31m" = 1\n', ("no key is called",)),
        ("background = '#000000'\n", ('no table is called "background"; it should be in [theme]',)),
    ],
)
def test_a_bad_file_is_one_sentence(text: str, parts: tuple[str, ...]) -> None:
    with pytest.raises(InputError) as caught:
        load(text, "mine.toml")
    sentence = str(caught.value)
    assert all(part in sentence for part in ("mine.toml: ", *parts)), sentence
    assert sentence.isprintable()


def test_a_file_with_a_name_nobody_can_type_is_refused() -> None:
    with pytest.raises(InputError, match="rename the file"):
        load(THREE, "folder/My, Theme.toml")


# Themes of a person's own


def test_user_themes_join_ours_and_go_before_them(folder: Path) -> None:
    (folder / "dusk.toml").write_text(THREE + 'description = "Mine"\n')
    (folder / "kazaa.toml").write_text(THREE)
    (folder / "notes.txt").write_text("not a theme")
    (folder / "folder.toml").mkdir()
    assert themes.available()[-1] == ("dusk", "Mine")
    assert find("kazaa").theme["primary"] == "#4fa3ff"
    assert len(themes.available()) == len(OURS) + 1


def test_broken_user_themes_are_reported_and_skipped(folder: Path) -> None:
    (folder / "good.toml").write_text(THREE)
    (folder / "latin.toml").write_bytes(b"[theme]\n# caf\xe9\n")
    (folder / "long.toml").write_text("#" * 70_000)
    (folder / "red.toml").write_text(THREE + "[swarm]\ndead = 'red'\n")
    palettes, complaints = load_all()
    assert [palette.name for palette in palettes if palette.name not in OURS] == ["good"]
    assert len(complaints) == 3
    assert "latin.toml: line 2 is not UTF-8" in complaints[0]
    assert "larger than the 65,536 bytes" in complaints[1]
    assert "[swarm]: dead should be a colour" in complaints[2]
    with pytest.raises(InputError, match="dead should be a colour"):
        find("red")


def test_a_missing_folder_of_themes_is_no_error(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(themes, "user_folder", lambda: folder / "nowhere")
    assert len(load_all()[0]) == len(OURS)
    assert load_all()[1] == []
    (folder / "themes").write_text("a file")
    monkeypatch.setattr(themes, "user_folder", lambda: folder / "themes")
    palettes, complaints = load_all()
    assert len(palettes) == len(OURS)
    assert len(complaints) == 1
    assert "cannot be listed" in complaints[0]


def test_a_theme_is_found_by_name_or_path_and_a_wrong_name_gets_the_nearest(folder: Path) -> None:
    (folder / "dusk.toml").write_text(THREE)
    assert find(str(folder / "dusk.toml")) == find("dusk")
    with pytest.raises(InputError, match='no theme "limewier"; did you mean "limewire"'):
        find("limewier")
    with pytest.raises(InputError, match=r"nowhere\.toml: no such file"):
        find("nowhere.toml")


# Arithmetic


def test_contrast_is_that_of_wcag() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)
    assert contrast("#ff0000", "#ff0000") == 1


def test_mixing_is_exact_at_the_ends_and_grey_stays_grey() -> None:
    assert mix("#123456", "#abcdef", 0) == "#123456"
    assert mix("#123456", "#abcdef", 1) == "#abcdef"
    half = mix("#000000", "#ffffff", 0.5)
    assert half[1:3] == half[3:5] == half[5:7]


def test_a_gradient_begins_passes_and_ends_where_it_was_told() -> None:
    steps = gradient("#0000ff", "#00ff00", "#ff0000", 9)
    assert (steps[0], steps[4], steps[8]) == ("#0000ff", "#00ff00", "#ff0000")
    assert len(set(steps)) == 9
    assert gradient("#000000", "#00ff00", "#ffffff", 2) == ["#000000", "#ffffff"]
    assert gradient("#000000", "#00ff00", "#ffffff", 1) == ["#00ff00"]
    assert gradient("#000000", "#00ff00", "#ffffff", 0) == []


def test_readable_moves_no_further_than_it_must() -> None:
    assert themes.readable("#ffffff", "#000000", 4.5) == "#ffffff"
    pushed = themes.readable("#202060", "#000000", 4.5)
    assert 4.5 <= contrast(pushed, "#000000") < 6


# Textual


@pytest.mark.parametrize("name", OURS)
def test_a_palette_survives_the_way_through_textual(name: str) -> None:
    palette = find(name)
    theme = textual_themes.to_textual(palette)
    assert theme.variables["swarm-alive"] == palette.swarm["alive"]
    back = textual_themes.palette_of(theme)
    assert (back.swarm, back.theme, back.dark) == (palette.swarm, palette.theme, palette.dark)


@pytest.mark.parametrize("name", sorted(BUILTIN_THEMES))
def test_textuals_own_themes_get_readable_roles(name: str) -> None:
    palette = textual_themes.palette_of(BUILTIN_THEMES[name])
    for role in ROLES:
        assert contrast(palette.swarm[role.name], palette.theme["background"]) >= role.least, role.name
    loud = [role for role in names("state", "part") if role not in ("left", "upkeep", "transfer")]
    assert all(distance(palette.swarm[one], palette.swarm[other]) >= 0.07 for one, other in combinations(loud, 2))


class Picture(App[None]):
    CSS = "Static { color: $swarm-question; background: $swarm-map-dim; border: solid $swarm-chart-4; }"

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return textual_themes.variable_defaults(self.current_theme)

    def compose(self) -> ComposeResult:
        yield Static("?")


async def see_every_theme() -> dict[str, tuple[str, str]]:
    app, seen = Picture(), {}
    async with app.run_test(size=(20, 5)) as pilot:
        for palette in load_all()[0]:
            app.register_theme(textual_themes.to_textual(palette))
        for name in ("swarm", "paper", "nord", "ansi-dark", "textual-light"):
            app.theme = name
            await pilot.pause()
            seen[name] = (app.query_one(Static).styles.color.hex6.lower(), app.theme_variables["swarm-question"])
    return seen


def test_an_app_has_our_themes_and_textuals() -> None:
    import asyncio

    seen = asyncio.run(see_every_theme())
    assert seen["swarm"][0] == find("swarm").swarm["question"]
    assert seen["paper"][0] == find("paper").swarm["question"]
    assert all(painted == stated for painted, stated in seen.values())
    assert len({painted for painted, _ in seen.values()}) == 5


def test_without_a_theme_the_defaults_are_the_default_themes() -> None:
    defaults = textual_themes.variable_defaults()
    assert set(defaults) == {f"swarm-{name}" for name in ROLE_NAMES}
    assert defaults["swarm-alive"] == find(themes.DEFAULT).swarm["alive"]


def test_listing_themes_imports_no_textual() -> None:
    code = (
        "import sys, tui.config.themes as t; t.available(); "
        "print([m for m in sys.modules if m.split('.')[0] == 'textual'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
