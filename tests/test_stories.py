"""Stories: files of commands and their results, `stories/*.story`, run again line by line.

A line that begins with `> ` is a command; the lines below it are its output. After a change, `pytest
tests/test_stories.py --rewrite-stories` writes the present output into the files, and a person reads the difference: it
shows what the change means for users, in the words that they read.

    > swarm napster peers=16 seed=3        start; any field of a setup
    > ask p003 blue train                  any verb, its first field one word or quoted, the rest to the end of the line
    > run 2                                that many seconds; prints what happened meanwhile (`quiet` for no output)
    > asks                                 a line for each ask, with its verdict
    > peers SELECTOR                       the peers that match
    > lost                                 messages that never arrived, by reason
"""

from __future__ import annotations

import dataclasses
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine import (
    VERBS,
    AskFor,
    AskIssued,
    Churned,
    Closed,
    Command,
    Commanded,
    ContentSpec,
    Event,
    Hit,
    InputError,
    Noted,
    Refused,
    Setup,
    Swarm,
    command_from,
)

STORIES = sorted((Path(__file__).parent / "stories").glob("*.story"))
PROMPT = "> "
SAME_KIND_MOST = 4
"""Lines of one kind that one `run` prints at most; the others are counted."""


class StoryRunner:
    """Runs the commands of a story, and returns the results of each as lines of text."""

    def __init__(self) -> None:
        self.swarm: Swarm | None = None
        self.seen = 0

    def play(self, line: str) -> list[str]:
        """The lines that one command prints. An error is printed too, since stories may be about errors."""
        word, _, rest = line.partition(" ")
        try:
            return list(self._play(word, rest.strip()))
        except InputError as error:
            return [f"no: {error}"]

    def _play(self, word: str, rest: str) -> Iterator[str]:
        if word == "swarm":
            yield from self._begin(rest)
            return
        swarm = self.swarm
        assert swarm is not None, "a story begins with: > swarm NETWORK"
        if word in ("run", "quiet"):
            swarm.advance(swarm.now_us + round(float(rest) * 1e6))
            told = list(self._events())
            yield from told if word == "run" else ()
        elif word == "asks":
            for row in swarm.asks():
                names = f"{swarm.labels[row.origin]} wants {row.text}"
                cost = f"{row.messages} questions, {row.reached} reached, {row.duplicates} duplicates, {row.hops} hops"
                yield f"{row.id}  {names}: {cost}, {row.hits} hits. {row.verdict}"
        elif word == "peers":
            yield " ".join(swarm.labels[peer] for peer in swarm.select(rest)) or "nobody"
        elif word == "lost":
            lost = swarm.snapshot().totals.dropped_by
            yield ", ".join(f"{reason} {count}" for reason, count in sorted(lost.items())) or "nothing"
        else:
            peers = swarm.do(self._command(word, rest))
            yield from self._events()
            if not peers and word not in ("set", "heal"):
                yield "nobody changed"

    def _begin(self, rest: str) -> Iterator[str]:
        protocol, *words = shlex.split(rest)
        fields = {f.name: f for f in dataclasses.fields(Setup)}
        values: dict[str, object] = {"protocol": protocol, "asks_per_s": 0.0}
        options: dict[str, object] = {}
        content: dict[str, float] = {}
        for word in words:
            name, _, value = word.partition("=")
            if name in ("peers", "seed"):
                values[name] = int(value)
            elif name in fields:
                values[name] = float(value) if fields[name].type == "float" else value
            elif name in {f.name for f in dataclasses.fields(ContentSpec)}:
                content[name] = float(value) if "." in value else int(value)
            else:
                options[name] = value
        self.swarm = Swarm(Setup(**values, options=options, content=ContentSpec(**content)))  # type: ignore[arg-type]
        self.seen = 0
        yield f"{len(self.swarm.labels)} peers, {self.swarm.edges} links"

    def _command(self, verb: str, rest: str) -> Command:
        kind = VERBS.get(verb)
        names = [f.name for f in dataclasses.fields(kind)] if kind else []
        if len(names) < 2:
            return command_from(verb, {names[0]: rest} if names and rest else {}, "story")
        head, *words = shlex.split(rest) if rest else [""]
        values: dict[str, object] = {names[0]: head}
        tail: list[str] = []
        for word in words:
            name, equals, value = word.partition("=")
            if equals and name in names:
                values[name] = float(value) if name == "leak" else value
            else:
                tail.append(word)
        if tail:
            values[names[1]] = " ".join(tail)
        return command_from(verb, values, "story")

    def _events(self) -> Iterator[str]:
        assert self.swarm is not None
        told: dict[str, int] = {}
        for event in self.swarm.events(self.seen):
            self.seen = event.seq
            said = self._said(event)
            kind = type(event).__name__ + getattr(event, "kind", "")
            told[kind] = told.get(kind, 0) + 1
            if said and told[kind] <= SAME_KIND_MOST:
                yield f"{event.at_us / 1e6:8.3f}  {said}"
        for kind, count in told.items():
            if count > SAME_KIND_MOST:
                yield f"          and {count - SAME_KIND_MOST} more of {kind.lower()}"

    def _said(self, event: Event) -> str:
        assert self.swarm is not None
        name = self.swarm.labels
        match event:
            case Commanded(command=command, peers=peers) if not isinstance(command, AskFor):
                who = " ".join(name[peer] for peer in peers[:6]) + (" …" if len(peers) > 6 else "")
                return f"{command.verb} {len(peers)}: {who}".rstrip(": ")
            case Churned(peer=peer, what=what):
                return f"{name[peer]} goes" if what == "kill" else f"{name[peer]} comes back"
            case AskIssued(ask=ask, origin=origin, text=text):
                return f"ask {ask}: {name[origin]} wants {text}"
            case Hit(ask=ask, holder=holder):
                return f"ask {ask}: {name[holder]} has it"
            case Closed(ask=ask, verdict=verdict):
                return f"ask {ask} is over. {verdict}"
            case Refused(peer=peer, to=to, kind=kind):
                return f"{name[to]} refuses {name[peer]} a {kind}"
            case Noted(peer=peer, kind=kind):
                return f"{name[peer]} notes: {kind}"
        return ""


def played(text: str) -> str:
    """The text of a story with the present results of its commands; its remarks are kept."""
    runner = StoryRunner()
    lines: list[str] = []
    for line in text.splitlines():
        if line.startswith(PROMPT):
            lines += [line, *(f"  {said}" for said in runner.play(line.removeprefix(PROMPT)))]
        elif not line.startswith("  "):
            lines.append(line)
    return "\n".join(lines) + "\n"


def test_there_are_stories() -> None:
    assert len(STORIES) >= 6


@pytest.mark.parametrize("path", STORIES, ids=lambda path: path.stem)
def test_a_story_has_the_results_in_its_file(path: Path, request: pytest.FixtureRequest) -> None:
    told = path.read_text(encoding="utf-8")
    now = played(told)
    if request.config.getoption("--rewrite-stories"):
        path.write_text(now, encoding="utf-8")
        return
    assert now == told, f"read the diff, then pytest {Path(__file__).name} --rewrite-stories"
