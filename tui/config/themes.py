"""Themes: which colour means what. Reads the TOML files of `themes/` and of the user; imports no Textual.

A theme file has two tables. `[theme]` holds Textual's own fields, for frames, buttons and text; `[swarm]` holds roles,
for what only this program draws. A role names a meaning ("a dead peer"), never a hue: widgets ask for meanings. Only
background, foreground and primary are required; `derive` makes the rest, keeps each role readable on the background
and the states different from one another. So the author of a theme writes three colours, and Textual's built-in
themes need no roles of their own.

Colours are mixed in OKLab (Ottosson 2020, https://bottosson.github.io/posts/oklab/), where equal steps look equal;
gradients mixed in sRGB go through grey. Contrast is that of WCAG 2.2, "relative luminance" and "contrast ratio".

The name of a theme is the name of its file. A file of the user overrides a shipped one of the same name. A user theme
with an error never keeps the program from starting: the error is reported in a sentence.
"""

from __future__ import annotations

import contextlib
import functools
import importlib.resources
import math
import re
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePath
from typing import Any

from engine import Allowed, InputError, dataclass, nearest, parse_toml, plain, read_toml, read_value, shown

DEFAULT = "swarm"
"""The theme where none is chosen."""

REQUIRED = ("background", "foreground", "primary")
FIELDS = (*REQUIRED, *("secondary", "accent", "warning", "error", "success", "surface", "panel", "boost"))
"""Colours of `[theme]`, named as in Textual; `dark` and `description` may be there too."""


@dataclass(frozen=True, slots=True)
class Role:
    """One meaning that needs a colour.

    `of` is the theme field or earlier role that it is derived from when a theme does not set it, and `share` how much
    of that is mixed into the background. `least` is the contrast ratio against the background that derivation
    guarantees and that our own themes are tested for. Roles that are drawn in one picture must not look alike
    (`_rivals`); earlier rows choose their hue first.
    """

    name: str
    group: str
    means: str
    of: str
    share: float = 1.0
    least: float = 3.0


ROLES: tuple[Role, ...] = (
    Role("alive", "state", "A peer that runs and can be reached.", "primary"),
    Role("dead", "state", "A peer whose process was killed.", "error"),
    Role("question", "part", "A message that looks for something.", "warning"),
    Role("answer", "part", "A message that says where something is.", "success"),
    Role("left", "state", "A peer that has left politely.", "foreground", 0.5),
    Role("censored", "state", "A peer that runs, but all its traffic is blocked.", "accent"),
    Role("colluding", "state", "A peer that suppresses a word on somebody's behalf.", "secondary"),
    Role("infrastructure", "state", "A server, index or tracker.", "secondary"),
    Role("transfer", "part", "A message that carries file data.", "infrastructure"),
    Role("upkeep", "part", "A message that maintains the network itself.", "foreground", 0.45),
    Role("link", "link", "An open stream between two peers.", "foreground", 0.2, 1.2),
    Role("link-active", "link", "A stream that carried something a moment ago.", "alive", 0.7, 2.0),
    Role("link-tree", "link", "A stream by which the chosen ask first reached a peer.", "question"),
    Role("selected", "mark", "The ring around the chosen peer, and its links.", "foreground", 1.0, 4.5),
    Role("origin", "mark", "The peer that asked.", "accent"),
    Role("asked", "mark", "A peer that the chosen ask has reached.", "question"),
    Role("answered", "mark", "A peer that had an answer to it.", "answer"),
    Role("duplicate", "mark", "A question that a peer had seen before.", "question", 0.6),
    Role("lost", "mark", "Where a message was lost.", "error"),
    Role("map-coastline", "map", "Coastlines behind the peers.", "foreground", 0.22, 1.3),
    Role("map-dim", "map", "Land, grid lines and other things behind the coastlines.", "foreground", 0.1, 1.05),
    Role("label", "text", "The name beside a peer, an axis or a figure.", "foreground", 0.85, 4.5),
    Role("dim", "text", "Text of little importance.", "foreground", 0.58),
    Role("caption", "text", "A caption of a scenario.", "accent", 1.0, 4.5),
    Role("meter-low", "meter", "A meter that is nearly empty.", "success"),
    Role("meter-mid", "meter", "A meter that is half full.", "warning"),
    Role("meter-high", "meter", "A meter that is nearly full.", "error"),
    Role("heat-start", "heat", "A peer with no load.", "primary", 0.5, 2.0),
    Role("heat-mid", "heat", "A peer with half the load of the busiest.", "warning"),
    Role("heat-end", "heat", "The busiest peer.", "error"),
    Role("chart-1", "chart", "The first line of a chart.", "primary"),
    Role("chart-2", "chart", "The second line of a chart.", "warning"),
    Role("chart-3", "chart", "The third line of a chart.", "success"),
    Role("chart-4", "chart", "The fourth line of a chart.", "accent"),
    Role("poisoned", "mark", "A peer that serves decoys.", "chart-4"),
    Role("held", "mark", "A peer with a link whose messages are frozen.", "warning"),
)

ROLE_NAMES = tuple(role.name for role in ROLES)

DIGITS = 9
"""Decimals kept of a value that is compared or rounded to a whole number: the last bits of powers and roots differ
between processors."""
APART = 0.09
"""OKLab distance below which two dots on a screen look the same."""

_TURNS_DEG = (0, 40, -40, 80, -80, 120, -120, 160, -160)
COLOUR = Allowed(pattern="#[0-9a-fA-F]{6}", expected='a colour written as "#rrggbb"')
THEME_KEYS = {**dict.fromkeys(FIELDS, COLOUR), "dark": Allowed(bool), "description": Allowed(empty=True)}
SWARM_KEYS = dict.fromkeys(ROLE_NAMES, COLOUR)
TABLES = {"theme": THEME_KEYS, "swarm": SWARM_KEYS}
"""What each table of a theme file may hold."""
_NAME = re.compile(r"[a-z0-9][a-z0-9-]*")
_SIZE_LIMIT = 65_536


@dataclass(frozen=True, slots=True)
class Palette:
    """A theme, complete: `theme` has every name of FIELDS and `swarm` every name of ROLE_NAMES, as `#rrggbb`."""

    name: str
    description: str
    dark: bool
    theme: dict[str, str]
    swarm: dict[str, str]


def load(text: str, where: str) -> Palette:
    """Read one theme file. `where` is its path: it names the theme and begins each error. Raises InputError."""
    name = PurePath(where).stem
    if not _NAME.fullmatch(name):
        raise InputError(
            f"{where}: the name of a theme is that of its file, in small letters, digits and hyphens; rename the file"
        )
    found: dict[str, dict[str, Any]] = {"theme": {}, "swarm": {}}
    for table, values in parse_toml(text, where).items():
        if table not in TABLES:
            home = next((f"; it should be in [{name}]" for name, keys in TABLES.items() if table in keys), "")
            raise InputError(f'{where}: no table is called "{plain(table)}"{home or nearest(table, TABLES)}')
        if not isinstance(values, dict):
            raise InputError(f"{where}: {table} should be a table, [{table}], not {shown(values)}")
        for key, value in values.items():
            found[table][key] = read_value(TABLES[table], key, value, f"{where}: [{table}]", "key")
    theme, swarm = found["theme"], found["swarm"]
    for field in REQUIRED:
        if field not in theme:
            raise InputError(f'{where}: [theme] lacks {field}; expected a colour such as {field} = "#1b2a41"')
    dark = theme.pop("dark", luminance(theme["background"]) < luminance(theme["foreground"]))
    description = plain(theme.pop("description", ""))
    return complete(name, description, dark, _small(theme), _small(swarm))


def _small(colours: Mapping[str, str]) -> dict[str, str]:
    return {name: colour.lower() for name, colour in colours.items()}


def complete(name: str, description: str, dark: bool, theme: Mapping[str, str], swarm: Mapping[str, str]) -> Palette:
    """A palette from the colours that are set, which must include REQUIRED; the others are derived."""
    fields = _complete_fields(theme)
    return Palette(name, description, dark, fields, derive(fields, swarm))


def available() -> list[tuple[str, str]]:
    """Name and description of each usable theme: the default first, then ours, then the user's."""
    return [(palette.name, palette.description) for palette in load_all()[0]]


def find(name: str) -> Palette:
    """The theme of that name, or in the file of that path when it ends in `.toml`.

    Raises InputError, with the nearest spelling, or with what is wrong with the file.
    """
    if name.endswith(".toml"):
        return load(_text_of(Path(name)), name)
    if _NAME.fullmatch(name) and (one := _theme_called(name)) is not None:
        return one
    palettes, complaints = _gather()
    if name in palettes:
        return palettes[name]
    if name in complaints:
        raise InputError(complaints[name])
    raise InputError(f'there is no theme "{plain(name)}"{nearest(name, palettes)}')


def _theme_called(name: str) -> Palette | None:
    """The theme in the file of this name; the others, a millisecond each, are not read. Raises InputError."""
    with contextlib.suppress(OSError):  # a folder that may not be read has no themes
        own = user_folder() / f"{name}.toml"
        if own.is_file():
            return load(_text_of(own), str(own))
    file = importlib.resources.files("themes") / f"{name}.toml"
    return _shipped_theme(name) if file.is_file() else None


def load_all() -> tuple[list[Palette], list[str]]:
    """Every usable theme, and a sentence for each user theme with an error."""
    palettes, complaints = _gather()
    return list(palettes.values()), list(complaints.values())


def _gather() -> tuple[dict[str, Palette], dict[str, str]]:
    """Themes by name, and complaints by the name of the theme that cannot be used."""
    palettes = {palette.name: palette for palette in _shipped()}
    complaints: dict[str, str] = {}
    folder = user_folder()
    try:
        paths = sorted(path for path in folder.iterdir() if path.suffix == ".toml" and path.is_file())
    except FileNotFoundError:
        paths = []
    except OSError as error:
        return palettes, {"": plain(f"{folder}: cannot be listed: {error.strerror}", limit=400)}
    for path in paths:
        try:
            palettes[path.stem] = load(_text_of(path), str(path))
        except InputError as error:
            complaints[path.stem] = str(error)
    return palettes, complaints


def user_folder() -> Path:
    """The folder of a person's own themes. It need not exist."""
    import platformdirs  # listing protocols and scenarios does without it

    return platformdirs.user_config_path("swarmtop") / "themes"


@functools.cache
def _shipped() -> tuple[Palette, ...]:
    """Our own themes, default first. They are tested: an error in one is a bug and may raise."""
    files = (entry.name for entry in importlib.resources.files("themes").iterdir() if entry.name.endswith(".toml"))
    palettes = [_shipped_theme(name.removesuffix(".toml")) for name in files]
    return tuple(sorted(palettes, key=lambda palette: (palette.name != DEFAULT, palette.name)))


@functools.cache
def _shipped_theme(name: str) -> Palette:
    text = (importlib.resources.files("themes") / f"{name}.toml").read_text(encoding="utf-8")
    return load(text, f"themes/{name}.toml")


def _text_of(path: Path) -> str:
    return read_toml(str(path), "expected a theme in TOML", _SIZE_LIMIT)


def derive(theme: Mapping[str, str], given: Mapping[str, str]) -> dict[str, str]:
    """Every role, in the order of ROLES: those in `given` as they are, the rest from `theme`, which has all FIELDS.

    The hue of a derived role that looks like a rival is turned until it does not. A colour mixed with background is
    meant to be dull and stays as it is.
    """
    background = theme["background"]
    swarm: dict[str, str] = {}
    for role in ROLES:
        if role.name in given:
            swarm[role.name] = given[role.name]
            continue
        source = swarm.get(role.of) or theme[role.of]
        colour = readable(mix(background, source, role.share), background, role.least)
        rivals = [colours[name] for name in _rivals(role) for colours in (swarm, given) if name in colours]
        if rivals and role.share == 1.0:
            turned = (readable(_turn(source, by), background, role.least) for by in _TURNS_DEG)
            colour = _first_apart(turned, rivals)
        swarm[role.name] = colour
    return swarm


def _rivals(role: Role) -> list[str]:
    """The roles that a role must not look like: states and parts, as a peer is drawn in the colour of a question that
    reached it; lines of a chart. A transfer may look like the infrastructure that it mostly comes from."""
    if role.group not in ("state", "part", "chart") or role.name == "transfer":
        return []
    groups = ("chart",) if role.group == "chart" else ("state", "part")
    return [other.name for other in ROLES if other.group in groups and other.name not in (role.name, "transfer")]


def readable(colour: str, background: str, least: float) -> str:
    """`colour`, mixed with as little black or white as gives a contrast ratio of `least`."""
    if contrast(colour, background) >= least:
        return colour
    pole = max("#ffffff", "#000000", key=lambda end: contrast(end, background))
    for step in range(1, 25):
        pushed = mix(colour, pole, step / 25)
        if contrast(pushed, background) >= least:
            return pushed
    return pole


def _complete_fields(given: Mapping[str, str]) -> dict[str, str]:
    background, foreground, primary = (given[field] for field in REQUIRED)
    derived = {
        "secondary": mix(primary, foreground, 0.35),
        "accent": readable(_turn(primary, 150), background, 4.5),
        # Yellow, red and green have a fixed meaning: they do not depend on the primary colour.
        "warning": readable("#e5a93d", background, 3.0),
        "error": readable("#e5534b", background, 3.0),
        "success": readable("#4fb86a", background, 3.0),
        "surface": mix(background, foreground, 0.04),
        "panel": mix(background, foreground, 0.09),
        "boost": mix(background, foreground, 0.06),
    }
    return {field: given.get(field) or derived[field] for field in FIELDS}


def _first_apart(candidates: Iterator[str], rivals: list[str]) -> str:
    """The first that differs enough from every rival, or the one that differs most from the rival nearest to it."""
    best, best_gap = "", -1.0
    for colour in candidates:
        gap = min((distance(colour, rival) for rival in rivals), default=math.inf)
        if gap > best_gap:
            best, best_gap = colour, gap
        if gap >= APART:
            break
    return best


def _turn(colour: str, by_deg: float) -> str:
    """The same lightness, another hue. A grey, which has no hue, gets some chroma first."""
    if not by_deg:
        return colour
    light, a, b = _oklab(colour)
    # Both coordinates of a grey are zero but for their last bits, which would give any hue.
    a, b = round(a, DIGITS) + 0.0, round(b, DIGITS) + 0.0
    chroma, hue = max(math.hypot(a, b), 0.11), math.atan2(b, a) + math.radians(by_deg)
    return _hex(light, chroma * math.cos(hue), chroma * math.sin(hue))


def gradient(start: str, mid: str, end: str, steps: int) -> list[str]:
    """`steps` colours from start by way of mid to end, both ends included; one step is mid, none is no colour."""
    if steps <= 1:
        return [mid] * max(steps, 0)
    at = [2 * step / (steps - 1) for step in range(steps)]
    return [mix(start, mid, x) if x <= 1 else mix(mid, end, x - 1) for x in at]


def mix(one: str, other: str, share: float) -> str:
    """`share` (0..1) of `other` in `one`, mixed in OKLab; exact at both ends."""
    if share <= 0:
        return one
    if share >= 1:
        return other
    (l1, a1, b1), (l2, a2, b2) = _oklab(one), _oklab(other)
    return _hex(l1 + (l2 - l1) * share, a1 + (a2 - a1) * share, b1 + (b2 - b1) * share)


def contrast(one: str, other: str) -> float:
    """Contrast ratio after WCAG 2.2, from 1 (the same) to 21 (black on white)."""
    low, high = sorted((luminance(one), luminance(other)))
    return round((high + 0.05) / (low + 0.05), DIGITS)


def luminance(colour: str) -> float:
    """Relative luminance after WCAG 2.2, from 0 (black) to 1 (white)."""
    red, green, blue = _linear(colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def distance(one: str, other: str) -> float:
    """How different two colours look: Euclidean in OKLab, 0 to 1; see APART."""
    return round(math.dist(_oklab(one), _oklab(other)), DIGITS)


def _linear(colour: str) -> tuple[float, float, float]:
    red, green, blue = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    return _to_linear(red), _to_linear(green), _to_linear(blue)


def _to_linear(value: float) -> float:
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4


@functools.lru_cache(maxsize=4096)
def _oklab(colour: str) -> tuple[float, float, float]:
    r, g, b = _linear(colour)
    long = math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b)
    medium = math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b)
    short = math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b)
    return (
        0.2104542553 * long + 0.7936177850 * medium - 0.0040720468 * short,
        1.9779984951 * long - 2.4285922050 * medium + 0.4505937099 * short,
        0.0259040371 * long + 0.7827717662 * medium - 0.8086757660 * short,
    )


def _hex(light: float, a: float, b: float) -> str:
    """OKLab to "#rrggbb"; what a screen cannot show is clipped channel by channel."""
    long = (light + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (light - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (light - 0.0894841775 * a - 1.2914855480 * b) ** 3
    channels = (
        4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short,
    )
    return "#" + "".join(
        f"{round(round(_to_gamma(min(1.0, max(0.0, value))) * 255, DIGITS)):02x}" for value in channels
    )


def _to_gamma(value: float) -> float:
    return value * 12.92 if value <= 0.0031308 else 1.055 * value ** (1 / 2.4) - 0.055
