"""swarmtop's engine: peer-to-peer networks in virtual time. It knows no screen.

These are its public names; everything else is behind them. What only some programs need (pacing, the headless run, the
tape) is fetched when it is first named.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .api import (
    PARTS,
    Ask,
    AskId,
    Belief,
    Beliefs,
    Blob,
    File,
    Host,
    Library,
    Line,
    Message,
    Peer,
    PeerId,
    Station,
    Theory,
    mentions,
    message,
    on,
    option,
    words_of,
)
from .commands import (
    VERBS,
    Adjourn,
    Arrive,
    AskFor,
    Attack,
    CallOff,
    Censor,
    Collude,
    Command,
    Court,
    Cure,
    Defect,
    Depart,
    Heal,
    Hold,
    Join,
    Kill,
    Leave,
    Partition,
    Peers,
    Poison,
    Publish,
    Release,
    Reopen,
    Revive,
    Set,
    Shutdown,
    Uncensor,
    command_from,
)
from .errors import InputError, PeerFailed, SwarmError, nearest, plain
from .events import Adrift, Arrived, Asked, Churned, Closed, Commanded, Event, Hit, Noted, Refused
from .hunt import Hunt
from .lab import scenario as scenario_files
from .lab.check import Checked, Expect, check
from .lab.lines import read_links
from .lab.save import to_toml
from .lab.scenario import Caption, Scenario
from .networks import help_of, network, networks, options_of, title_of
from .options import as_number, as_text, as_whole, options_for
from .recent import Heard
from .setup import ArrivalSpec, ContentSpec, LinkSpec, Setup
from .silencing import Silencing
from .snapshot import (
    ALIVE,
    DEAD,
    LEFT,
    STATES,
    Arrivals,
    AskRow,
    Docket,
    Fixed,
    Flight,
    Kind,
    Links,
    Losses,
    Places,
    Run,
    Series,
    Snapshot,
    Totals,
    Trace,
    UnderWay,
)
from .swarm import Swarm
from .world.attacks import Param, Preset
from .world.plans import Plan
from .world.selectors import last_word

if TYPE_CHECKING:
    from .lab.bench import BenchCost, BenchRow, bench, bench_costs
    from .lab.recording import Replayed, load_recording, parted_sentence, replay, story_of
    from .lab.run import Report, Until, report_of, run
    from .lab.sweep import Curve, Sweep, parse_sweep, sweep
    from .lab.tables import asks_csv, series_csv
    from .live import Live
    from .record.follower import Follower
    from .record.machine import Checkpoints, TimeMachine
    from .record.marks import Mark
    from .record.reader import Recording
    from .tape import Tape

LATE = {
    "BenchCost": ".lab.bench",
    "BenchRow": ".lab.bench",
    "Checkpoints": ".record.machine",
    "Curve": ".lab.sweep",
    "Follower": ".record.follower",
    "Live": ".live",
    "Mark": ".record.marks",
    "Recording": ".record.reader",
    "Replayed": ".lab.recording",
    "Report": ".lab.run",
    "Sweep": ".lab.sweep",
    "Tape": ".tape",
    "TimeMachine": ".record.machine",
    "Until": ".lab.run",
    "asks_csv": ".lab.tables",
    "bench": ".lab.bench",
    "bench_costs": ".lab.bench",
    "load_recording": ".lab.recording",
    "parse_sweep": ".lab.sweep",
    "parted_sentence": ".lab.recording",
    "replay": ".lab.recording",
    "report_of": ".lab.run",
    "run": ".lab.run",
    "series_csv": ".lab.tables",
    "story_of": ".lab.recording",
    "sweep": ".lab.sweep",
}

__all__ = [
    "ALIVE",
    "DEAD",
    "LEFT",
    "PARTS",
    "STATES",
    "VERBS",
    "Adjourn",
    "Adrift",
    "ArrivalSpec",
    "Arrivals",
    "Arrive",
    "Arrived",
    "Ask",
    "AskFor",
    "AskId",
    "AskRow",
    "Asked",
    "Attack",
    "Belief",
    "Beliefs",
    "BenchCost",
    "BenchRow",
    "Blob",
    "CallOff",
    "Caption",
    "Censor",
    "Checked",
    "Checkpoints",
    "Churned",
    "Closed",
    "Collude",
    "Command",
    "Commanded",
    "ContentSpec",
    "Court",
    "Cure",
    "Curve",
    "Defect",
    "Depart",
    "Docket",
    "Event",
    "Expect",
    "File",
    "Fixed",
    "Flight",
    "Follower",
    "Heal",
    "Heard",
    "Hit",
    "Hold",
    "Host",
    "Hunt",
    "InputError",
    "Join",
    "Kill",
    "Kind",
    "Leave",
    "Library",
    "Line",
    "LinkSpec",
    "Links",
    "Live",
    "Losses",
    "Mark",
    "Message",
    "Noted",
    "Param",
    "Partition",
    "Peer",
    "PeerFailed",
    "PeerId",
    "Peers",
    "Places",
    "Plan",
    "Poison",
    "Preset",
    "Publish",
    "Recording",
    "Refused",
    "Release",
    "Reopen",
    "Replayed",
    "Report",
    "Revive",
    "Run",
    "Scenario",
    "Series",
    "Set",
    "Setup",
    "Shutdown",
    "Silencing",
    "Snapshot",
    "Station",
    "Swarm",
    "SwarmError",
    "Sweep",
    "Tape",
    "Theory",
    "TimeMachine",
    "Totals",
    "Trace",
    "Uncensor",
    "UnderWay",
    "Until",
    "as_number",
    "as_text",
    "as_whole",
    "asks_csv",
    "bench",
    "bench_costs",
    "check",
    "command_from",
    "help_of",
    "last_word",
    "load_recording",
    "mentions",
    "message",
    "nearest",
    "network",
    "networks",
    "on",
    "option",
    "options_for",
    "options_of",
    "parse_sweep",
    "parted_sentence",
    "plain",
    "read_links",
    "replay",
    "report_of",
    "run",
    "scenario_files",
    "series_csv",
    "story_of",
    "sweep",
    "title_of",
    "to_toml",
    "words_of",
]


def __getattr__(name: str) -> Any:
    if name not in LATE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(LATE[name], __name__), name)
