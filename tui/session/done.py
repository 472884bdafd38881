"""What was done in a run, as a list: each line in words, as lines of a scenario, and as flags of `swarmtop run`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields

from engine import AskFor, Command, Peers, Set, Setup, dataclass, plain, to_toml

from .reproduce import shell_word

WHO = {"person": "you", "scenario": "scenario", "court": "court", "again": "again"}
FLAGS = {"churn": "--churn", "arrivals": "--arrivals", "loss": "--loss", "jitter": "--jitter"}
"""Parameters that `set` moves and that have a flag of their own."""
NO_FLAG = ("latency", "capacity", "polite", "asks")
"""Parameters that have none: the first two are factors."""
PEERS_SHOWN = 8


@dataclass(frozen=True, slots=True)
class Done:
    """One command. at_us: virtual time; by: "person", "scenario", "court", or "again" for what a
    person did in the run before; ahead: it is after the cursor."""

    at_us: int
    command: Command
    by: str
    ahead: bool = False

    @property
    def who(self) -> str:
        """Who gave it, in a word."""
        return WHO.get(self.by, self.by)

    def words(self, labels: Sequence[str] = (), most: int = PEERS_SHOWN) -> str:
        """`kill p012`, `ask p003 “blue train”`: the verb and its values. labels: the names of peers."""
        command = self.command
        words = [command.verb]
        for f in fields(command):
            value = getattr(command, f.name)
            if value is None or (value == f.default and f.name != "value"):
                continue
            if f.name == "peers" or _are_peers(value):
                words.append(_named(value, labels, most))
            elif isinstance(value, Mapping):
                words += [f"{name}={plain(one)}" for name, one in value.items()]
            elif isinstance(value, str) and " " in value:
                words.append(f"“{plain(value)}”")
            else:
                words.append(plain(f"{value:g}" if isinstance(value, float) else str(value)))
        return " ".join(word for word in words if word)

    def selector_line(self, labels: Sequence[str]) -> str:
        """The same with all peers named, as the fields of the controls take it."""
        return self.words(labels, most=1_000_000).replace("“", '"').replace("”", '"')

    def scenario_lines(self) -> str:
        """`[[at]]` and its fields, to paste into a scenario."""
        text = to_toml(Setup(schedule=((self.at_us, self.command),)), "")
        return text[text.index("[[at]]") :].strip() + "\n"

    def flags(self) -> str:
        """Flags of `swarmtop run` that do it; empty where only a scenario can."""
        command = self.command
        if isinstance(command, AskFor) and not self.at_us:
            peers = command.peers
            who = peers if isinstance(peers, str) else " or ".join(f"#{peer}" for peer in _ids(peers))
            goal = ["--goal", command.goal] if command.goal else []
            words = ["--ask", command.text, *goal, *(["--from", who] if who else [])]
            return " ".join(map(shell_word, words))
        if isinstance(command, Set) and not self.at_us and command.name not in NO_FLAG:
            flag = FLAGS.get(command.name)
            words = [flag, str(command.value)] if flag else ["--set", f"{command.name}={command.value}"]
            return " ".join(map(shell_word, words))
        return ""

    def no_flag(self) -> str:
        """Why there is no flag for it; empty if there is one."""
        if self.flags():
            return ""
        when = f" at {self.at_us / 1e6:g} s" if isinstance(self.command, (AskFor, Set)) and self.at_us else ""
        return f"No flag does “{self.command.verb}”{when}: copy it as lines of a scenario."


def _are_peers(value: object) -> bool:
    return isinstance(value, tuple) and bool(value) and all(isinstance(one, int) for one in value)


def _ids(peers: Peers) -> tuple[int, ...]:
    return (peers,) if isinstance(peers, int) else tuple(int(peer) for peer in peers)


def _named(peers: Peers, labels: Sequence[str], most: int) -> str:
    if isinstance(peers, str):
        return plain(peers)
    ids = _ids(peers)
    if len(ids) > most:
        return f"{len(ids):,} peers"
    return " or ".join(labels[peer] if peer < len(labels) else f"#{peer}" for peer in ids)
