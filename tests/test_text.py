"""Text from outside: it is made harmless when it is read, and every output can write it."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import tomllib
import unicodedata
from pathlib import Path

import msgpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import (
    AskFor,
    InputError,
    Setup,
    Swarm,
    load_recording,
    plain,
    replay,
    run,
    scenario_files,
    to_toml,
)
from tui.config import settings as config
from tui.config import themes
from tui.session import export, reproduce

pytestmark = pytest.mark.uncounted

ODD = (
    *("\ud800", "\udcff", "\x00", "\x1b[2J", "\x1b]52;c;eA==\x07", "\x7f", "\x9b31m", "\u202e", "\u2066", "\u200d"),
    *("\u200b", "\ufeff", "\ufe0f", "\U000e0101", "\U000e0041", "\u0301" * 50, "\u20e3", "\ufffe", "\U0010ffff"),
    *("\u2028", "\u2029", "\n", "\r\n", "\t", "\x85", "\u3164", "\u115f", "\U0001f1e9\U0001f1ea", "\U0001f3fd"),
    *("[red]x[/]", "[/]", "[@click=app.quit]x[/]", "[bold", "{app.quit}", "{0}", "%s", "'", '"', "\\", "$(x)", "`x`"),
    *("é", "e\u0301", "日本", "🦑", "-x", "=1+1", "café", "ᄀ\u1161", "\u1161"),
)
TEXT = st.lists(st.one_of(st.sampled_from(ODD), st.text(max_size=8), st.just("blue train")), max_size=6).map("".join)
UNUSUAL = "train " + "".join(ODD)


def harmless(text: str) -> bool:
    """Whether a text is one line that every encoding of Unicode can write and all terminals show in the same width."""
    marks = [unicodedata.category(ch) == "Mn" for ch in text]
    return (
        not any(unicodedata.category(ch)[0] == "C" or unicodedata.category(ch) in ("Zl", "Zp", "Me") for ch in text)
        and not any(0xFE00 <= ord(ch) < 0xFE10 or 0x1F1E6 <= ord(ch) < 0x1F200 for ch in text)
        and not any(all(marks[at : at + 4]) for at in range(len(marks) - 3))
    )


@given(st.one_of(TEXT, st.text()), st.integers(1, 200))
def test_plain_text_is_harmless_and_does_not_change_again(text: str, limit: int) -> None:
    made = plain(text, limit)
    assert harmless(made)
    assert len(made) <= limit
    assert plain(made, limit) == made
    made.encode()


def test_letters_of_all_languages_are_kept() -> None:
    for text in (
        "Füße",
        "Ελλάδα",
        "Привет",
        "עברית",
        "العربية",
        "हिन्दी",
        "ไทย",
        "한국어",
        "日本語",
        "tiếng Việt",
        "🦑 train",
    ):
        assert plain(text) == unicodedata.normalize("NFC", text)


@pytest.mark.parametrize("text", ["\u0301\u0316" * 200_000, "\x1b" * 1_000_000, "é" * 1_000_000, "a" * 5_000_000])
def test_long_text_is_cut_without_delay(text: str) -> None:
    assert len(plain(text)) <= 120


def sentence(error: InputError) -> str:
    """The text of an error, after a check that it is one harmless sentence."""
    assert harmless(str(error)), str(error)
    assert str(error).strip()
    return str(error)


@settings(max_examples=37, deadline=None)
@given(TEXT)
def test_the_texts_of_a_scenario_are_made_harmless(text: str) -> None:
    # TOML cannot have a surrogate.
    said = json.dumps(text.encode("utf-8", "replace").decode(), ensure_ascii=False).replace("\x7f", "\\u007f")
    ask = f"[[at]]\ns = 1\ndo = 'ask'\npeers = '#0'\ntext = {said}\n"
    body = f"title = {said}\nabout = {said}\n{ask}[[caption]]\ns = 1\nsay = {said}\n"
    try:
        made = scenario_files.parse(body, "x.toml")
    except InputError as error:
        sentence(error)
        return
    again = scenario_files.parse(to_toml(made.setup, made.title, made.about, made.captions, made.expects), "y.toml")
    assert again.title == made.title
    assert again.setup == made.setup
    for each in (made.title, made.about, made.captions[0].say, made.setup.schedule[0][1].text):  # type: ignore[attr-defined]
        assert harmless(each)


@settings(max_examples=20, deadline=None)
@given(TEXT)
def test_the_text_of_a_command_is_made_harmless(text: str) -> None:
    swarm = Swarm(Setup(peers=4, latency="constant:20"))
    try:
        swarm.do(AskFor("#0", text))
    except InputError as error:
        sentence(error)
        return
    assert all(harmless(row.text) for row in swarm.asks())


@pytest.mark.parametrize("text", ["\ud800[red]x[/]", "a/\udfff.txt", "x\udc80.json"])
def test_a_file_name_that_cannot_be_encoded_is_no_file(text: str) -> None:
    for name in ("topology", "latency", "churn"):
        with pytest.raises(InputError) as error:
            Swarm(Setup(peers=4, **{name: text}))  # type: ignore[arg-type]
        sentence(error.value)


@settings(max_examples=25, deadline=None)
@given(TEXT)
def test_errors_about_specs_are_harmless(text: str) -> None:
    for name in ("topology", "latency", "churn"):
        try:
            Swarm(Setup(peers=4, **{name: text}))  # type: ignore[arg-type]
        except InputError as error:
            sentence(error)


@settings(max_examples=25, deadline=None)
@given(TEXT)
def test_errors_about_configuration_and_themes_are_harmless(text: str) -> None:
    said = json.dumps(text.encode("utf-8", "replace").decode(), ensure_ascii=False).replace("\x7f", "\\u007f")
    for line in (f"theme = {said}", f"{said} = 1", f"keys.{said} = {said}", text):
        try:
            assert all(harmless(each) for each in config.read(line, Path("config.toml")).complaints)
        except InputError as error:
            sentence(error)
        try:
            config.changed(line, "theme", text)
        except InputError as error:
            sentence(error)
        try:
            themes.load(f"[theme]\n{line}\n", "mine.toml")
        except InputError as error:
            sentence(error)
    try:
        themes.find(text)
    except InputError as error:
        sentence(error)


def test_a_recording_with_unusual_texts_is_read_and_replayed(tmp_path: Path) -> None:
    file = tmp_path / "run.swarm"
    story = scenario_files.Scenario(title=UNUSUAL, about=UNUSUAL, setup=Setup(peers=4, protocol="gossip"))
    run(story.asking([UNUSUAL], "#0"), until=2.0, record=str(file))
    scenario, _ = load_recording(str(file))
    assert harmless(scenario.title)
    assert harmless(scenario.about)
    assert replay(str(file)).diverged == ""


def test_the_texts_of_a_recording_are_made_harmless() -> None:
    from engine.lab.scenario import scenario_of
    from engine.record.file import Recording

    world = Swarm(Setup(peers=4)).world
    told = {"title": UNUSUAL, "about": UNUSUAL, "asks": [[UNUSUAL, "#0"]], "caption": [{"s": 1.0, "say": UNUSUAL}]}
    packed = msgpack.packb(told, unicode_errors="surrogatepass")
    story = msgpack.unpackb(packed, unicode_errors="surrogatepass")
    made = scenario_of(Recording(Setup(peers=4), story, world), "x.swarm")
    assert all(map(harmless, (made.title, made.about, made.asks[0][0], made.captions[0].say)))


@settings(max_examples=25, deadline=None)
@given(TEXT)
def test_a_shell_reads_the_words_of_a_command_line_back(text: str) -> None:
    name = text.replace("\0", "").encode("utf-8", "surrogateescape" if text.isascii() else "replace")
    word = reproduce.shell_word(os.fsdecode(name))
    assert harmless(word)
    assert len(shlex.split(word)) == 1
    got = subprocess.run(["bash", "-c", f"printf %s {word}"], capture_output=True, check=True, timeout=300).stdout
    assert got == name


def test_a_path_with_any_bytes_opens_the_file_that_it_names(tmp_path: Path) -> None:
    for name in (b"caf\xe9.toml", b"a\x1b[31m.toml", "e\u0301\u200d.toml".encode(), b"x" * 200 + b".toml", b"-x.toml"):
        path = os.fsencode(tmp_path) + b"/" + name
        edges = path.removesuffix(b".toml") + b".txt"
        Path(os.fsdecode(edges)).write_text("0 1\n1 2\n")
        Path(os.fsdecode(path)).write_text("peers = 3\n")
        made = scenario_files.find(os.fsdecode(path))
        assert os.fsencode(made.source) == path
        assert harmless(made.title)
        line = reproduce.command_line(made, made.setup, (), 1_000_000, tmp_path)
        assert harmless(line)
        words = subprocess.run(["bash", "-c", f"printf '%s\\0' {line}"], capture_output=True, check=True, timeout=300)
        assert path in words.stdout.split(b"\0")
        env = {**os.environ, "HOME": str(tmp_path)}
        argv: list[bytes | str] = [sys.executable, "-m", "tui", "run", "--topology", edges, "--until", "1", "--json"]
        if name == b"caf\xe9.toml":
            done = subprocess.run(argv, capture_output=True, env=env, timeout=300, check=False)
            assert done.returncode == 0, done.stderr
            assert json.loads(done.stdout)["peers"] == 3


@pytest.mark.parametrize("locale", ["LC_ALL=C", "PYTHONIOENCODING=latin-1"])
def test_output_is_written_whatever_the_locale(locale: str, tmp_path: Path) -> None:
    env = {name: value for name, value in os.environ.items() if not name.startswith(("LC_", "LANG", "PYTHON"))}
    env |= [locale.split("=")]
    file = tmp_path / "x.toml"
    file.write_text("title = '🦑 日本'\npeers = 4\nprotocol = 'gossip'\n", encoding="utf-8")
    argv: list[bytes | str] = [sys.executable, "-m", "tui", "run", str(file), "--until", "1"]
    argv += ["--ask", b"blue \xff\xe9 train \xf0\x9f\xa6\x91", "--csv", str(tmp_path / "out.csv"), "--json"]
    done = subprocess.run(argv, capture_output=True, env=env, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert b"Traceback" not in done.stderr
    text = json.loads(done.stdout)["asks"][0]["text"]
    assert harmless(text)
    assert "blue" in text
    bad = subprocess.run(
        [*argv, b"--protocol", b"\xff\x1b[31m\xe9"], capture_output=True, env=env, timeout=300, check=False
    )
    assert bad.returncode == 2
    assert b"\x1b" not in bad.stderr
    assert bad.stderr.count(b"\n") == 1


def test_files_with_any_text_are_written(tmp_path: Path) -> None:
    for path in export.write("x", {".toml": UNUSUAL, ".json": "\ud800"}, tmp_path):
        assert path.read_bytes()
    text = to_toml(Setup(topology="caf\udce9.txt"), UNUSUAL, UNUSUAL)
    assert tomllib.loads(text)["topology"] == "caf?.txt"
