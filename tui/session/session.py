"""The only holder of a Swarm: turns wall time into virtual time, and virtual time into frames.

Widgets say what a person wants (`tui/widgets/messages.py`), the screen hands it here, and what comes of it is seen in
the next frame. Nothing here knows Textual, so all of it is tested without a screen.

**Slow on ask.** A flood crosses a swarm in under half a second, which nobody can watch. So when a person asks, time
slows until the question needs about `WATCH_S` of wall time to cross. How long a crossing takes is measured where
possible: the median over the latest asks' own traces. Before there is any, it is the depth of the links around the
asker times the median delay of what is in flight. Slow motion ends when the ask closes, and in any case after one
and a half crossings: an estimate may be wrong, and a person should not wait for it.

**Following.** Until a person chooses an ask, the latest one is shown, so that a newcomer sees a question spread
without pressing anything; for the first ask of a run, time slows as if that person had asked.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from engine import (
    AskFor,
    AskId,
    AskIssued,
    Beliefs,
    Closed,
    Command,
    Event,
    InputError,
    Pacer,
    PeerFailed,
    PeerId,
    Peers,
    Scenario,
    Setup,
    Swarm,
    Trace,
    plain,
)

if TYPE_CHECKING:
    from engine import Recording, Report, Until

from ..draw.layout import distances
from . import reproduce
from .analysis import Inquiry
from .frame import Frame, PeerFacts
from .narration import Narrator
from .player import EVENTS_SHOWN, Traveller
from .selection import Choosing

FACTS_S = 0.2
"""The selected peer is looked at this often, in wall seconds: its beliefs may be long."""
WATCH_S = 4.0
"""Wall seconds that a crossing should take when a person asks."""
NOTICE_S = 6.0
TITLES = 50
DELAY_US = 80_000
"""Typical delay of one hop, when nothing is in flight to measure."""


class Session(Traveller, Inquiry, Choosing):
    """Makes the swarm of a scenario, runs it, and answers for it. `await run()` somewhere, `frame()` at will."""

    def __init__(
        self,
        scenario: Scenario,
        *,
        speed: float = 1.0,
        until: Until = None,
        clock: Callable[[], float] = time.monotonic,
        make: Callable[[Setup], Swarm] = Swarm,
        recording: Recording | None = None,
    ) -> None:
        """`until`: pause there, in virtual seconds, or when all asks are closed ("quiet").

        Raises InputError, as the setup of the scenario may be wrong.
        """
        self.scenario = scenario
        self._clock, self._make = clock, make
        self._begun_s = clock()
        self.setup = scenario.setup
        swarm = make(self.setup) if recording is None else Swarm(self.setup, world=recording.world)
        self.embark(swarm, recording)
        self.live = Pacer(
            self.machine, speed=speed, clock=clock, on_error=self._broke, backpressure=lambda: self.machine.backpressure
        )
        if recording is not None:
            self.live.halt_at(recording.end_us)
        self.until_quiet = until == "quiet"
        if isinstance(until, (int, float)):
            self.live.halt_at(round(until * 1e6))
        self.selected: PeerId | None = None
        self.slow_on_ask = True
        self.forget()

    def forget(self) -> None:
        """What belonged to the swarm that was."""
        self.ask: AskId | None = None
        self.following = True
        self.marked: tuple[PeerId, ...] = ()
        self.sieve, self._sifted, self._sifted_at = "", None, -1.0
        self.alarm = ""
        self.forget_inquiry()
        self._notice, self._notice_until = "", 0.0
        self._facts: PeerFacts | None = None
        self._facts_at = -1.0
        self._seq = 0
        self._events: list[Event] = []
        self._awaited = False  # a person asked, and the ask has not been seen yet
        self._watched: AskId | None = None  # the ask that time is slow for
        self._open_asks: set[AskId] = set()  # those of a person
        self._crossings_us: list[int] = []
        self._remember()
        self._warned = 0

    def _remember(self) -> None:
        """What has to be found out again at another moment."""
        self._shown: tuple[object, ...] = ()
        self._revision = getattr(self, "_revision", 0) + 1
        # Captions speak of the network they were written for; what they foretell does not hold for another.
        told = self.scenario if self.setup.protocol == self.scenario.setup.protocol else Scenario()
        self._narrator = Narrator(told)
        self._warned = len(self.swarm.warnings)
        self._titles = tuple(self.swarm.catalogue_titles(TITLES))

    async def run(self) -> None:
        """Pace the swarm until `stop`."""
        await self.live.run()

    def report(self, series: bool = False) -> Report:
        """The run so far, as `swarmtop run` reports one."""
        from engine import report_of

        return report_of(self.swarm, replace(self.scenario, setup=self.setup), self._clock() - self._begun_s, series)

    def stop(self) -> None:
        """End `run`."""
        self.live.stop()
        self.machine.close()

    def landed(self) -> None:
        """The swarm is at another moment: what was seen of it is seen anew."""
        seen = self.swarm.simulation.event_log.seen
        self._events = list(self.swarm.events(seen - EVENTS_SHOWN))
        self._seq, self._awaited, self._watched, self._facts_at = seen, False, None, -1.0
        self._open_asks = set()
        self.chosen_then()
        self.silencing = None
        self.alarm = str(self.swarm.failure or "")
        self._theories.clear()
        self._remember()

    # --- frames -----------------------------------------------------------------------------------------

    @property
    def stale(self) -> bool:
        """Whether a frame made now could differ from the last one. False means: draw nothing."""
        return self.live.busy or self._mark() != self._shown

    def _mark(self) -> tuple[object, ...]:
        told = bool(self._notice) and self._clock() < self._notice_until
        return (self.swarm.now_us, self._revision, told, self.live.playing, self.live.speed, self.live.slowed)

    @property
    def watched(self) -> bool:
        """Whether a person waits for something: slow motion is on, or an ask of a person's is open."""
        return self.live.slowed or bool(self._open_asks)

    def touch(self) -> None:
        """Something changed that only the screen knows of: the next frame is wanted."""
        self._revision += 1

    def frame(self, fps: float) -> Frame:
        """This moment. Events in it are those since the last call."""
        self.live.slice()
        self._listen()
        self.tell_trouble()
        self.tell_past()
        now = self._clock()
        if self._notice and now >= self._notice_until:
            self._notice = ""
        snapshot = self.swarm.snapshot()
        self._shown = self._mark()
        events, self._events = tuple(self._events), []
        told = self._narrator.at(self.swarm)
        return Frame(
            snapshot=snapshot,
            wall_s=now,
            playing=self.live.playing,
            speed=self.live.speed,
            pace=self.live.pace,
            fps=fps,
            slowed=self.live.slowed,
            selected=self.selected,
            ask=self.ask,
            trace=self._trace(),
            facts=self._look(now),
            events=events,
            notice=self._notice,
            captions=told.captions,
            predictions=told.predictions,
            expectations=told.expectations,
            titles=self._titles,
            followed=self.following and self.ask is not None,
            marked=self.marked,
            sieve=self.sieve,
            sifted=self._sift(now),
            alarm=self.alarm,
            theory=self.theory(),
            believing=self.believing and self.selected is not None,
            silencing=self.silencing,
            **self.timeline(),
        )

    def _trace(self) -> Trace | None:
        return None if self.ask is None else self.swarm.trace(self.ask)

    def _look(self, now: float) -> PeerFacts | None:
        peer = self.selected
        if peer is None:
            return None
        old = self._facts
        if old is not None and old.peer == peer and 0 <= now - self._facts_at < FACTS_S:
            return old
        program = self.swarm.peer(peer)
        self._facts_at = now
        self._facts = PeerFacts(
            peer=peer,
            files=tuple(self.swarm.library(peer).files()),
            beliefs=program.beliefs() if program is not None else Beliefs(),
            links=tuple(self.swarm.links_of(peer)),
            ban=self.swarm.ban_of(peer),
            last=self.swarm.last_messages(peer),
        )
        return self._facts

    # --- listening ---------------------------------------------------------------------------------------

    def _listen(self) -> None:
        """Take in what happened since; choose an ask just issued, begin and end slow motion."""
        for event in self.swarm.events(self._seq):
            self._seq = event.seq
            self._events.append(event)
            if isinstance(event, AskIssued):
                self._issued(event)
            elif isinstance(event, Closed):
                self._closed(event.ask)

        if self.until_quiet and self.live.playing and self._seq and self.swarm.quiet() and self.swarm.asks():
            self.until_quiet = False
            self.live.pause()
            self.say("All asks are closed: {time.pause} goes on")
        if len(self.swarm.warnings) > self._warned:
            fresh = list(self.swarm.warnings)[self._warned :]
            self._warned = len(self.swarm.warnings)
            self.say("; ".join(map(str, fresh)))

    def _issued(self, event: AskIssued) -> None:
        if self._awaited and event.by == "person":
            self._awaited = False
            self.ask, self.following = event.ask, False
            self._slow_down(event.ask, event.origin)
        elif self.following:
            first = self.ask is None and not self.done()
            self.ask = event.ask
            if first:
                self._slow_down(event.ask, event.origin)

    def _closed(self, ask: AskId) -> None:
        self._open_asks.discard(ask)
        trace = self.swarm.trace(ask)
        if trace is not None and (trace.hop > 0).any():
            arrived = int(np.percentile(trace.at_us[trace.hop > 0], 95))
            latest = self._crossings_us[-4:]
            self._crossings_us = [*latest, arrived - self.swarm.record(ask).issued_us]
        if ask == self._watched:
            self._watched = None
            self.live.end_slow_motion()

    def _slow_down(self, ask: AskId, origin: PeerId) -> None:
        if self.slow_on_ask:
            crossing_us = self.crossing_us(origin)
            self.live.slow_motion(crossing_us / 1e6 / WATCH_S, int(crossing_us * 1.5))
            self._watched = ask if self.live.slowed else None

    def crossing_us(self, origin: PeerId) -> int:
        """How long a question from `origin` needs to reach most of the swarm: measured, or else estimated."""
        if self._crossings_us:
            guess = int(np.median(self._crossings_us))
        else:
            snapshot = self.swarm.snapshot()
            flight = snapshot.flight
            delay = int(np.median(flight.arrives_us - flight.sent_us)) if len(flight.frm) >= 8 else DELAY_US
            hops = distances(len(snapshot.state), snapshot.links.a, snapshot.links.b, origin)
            reached = hops[hops > 0]
            guess = delay * (int(np.percentile(reached, 95)) if len(reached) else 2)
        return min(max(guess, 20_000), 60_000_000)

    # --- what a person does ---------------------------------------------------------------------------------

    def do(self, command: Command) -> tuple[PeerId, ...]:
        """Carry out a command. Bad input becomes a notice, and nothing happens."""
        self.arrive()
        try:
            if isinstance(command, AskFor):
                self._awaited = True
            peers = self.swarm.do(command)
        except InputError as error:
            self._awaited = False
            self.say(str(error))
            return ()
        except PeerFailed as error:
            self._broke(error)
            return ()
        self.tell_fork()
        self._facts_at = -1.0
        self._listen()
        self.touch()
        return peers

    def ask_for(self, text: str, origin: Peers | None) -> None:
        """A person at `origin`, or at each of several (or at a peer drawn from those alive) wants `text`."""
        peers = origin if origin is not None else self._anyone()
        if peers is None:
            self.say("Nobody is up, so nobody can ask")
        else:
            self.do(AskFor(peers=peers, text=text))

    def _anyone(self) -> PeerId | None:
        """A living peer, without a draw that would change the run: the first one after the last asker. One that is
        censored where there is no other; None where nobody is up."""
        snapshot = self.swarm.snapshot()
        up = (snapshot.state == 0) & ~snapshot.fixed.infrastructure
        free = up & ~snapshot.censored
        asked_for = np.flatnonzero(free if free.any() else up)
        if not len(asked_for):
            return None
        return int(asked_for[(snapshot.asks_total * 7) % len(asked_for)])

    def say(self, sentence: str) -> None:
        """Put one sentence where the person looks, for some seconds."""
        self._notice, self._notice_until = plain(sentence, limit=400), self._clock() + NOTICE_S
        self.touch()

    def play_or_pause(self) -> None:
        """Toggle time. Playing on puts an alarm away."""
        if self.live.playing:
            self.live.pause()
        else:
            self.alarm = ""
            self.live.play()
        self.touch()

    def command_line(self) -> str:
        """What to type to be back at this moment, see `reproduce.command_line`; empty, and said why, if it fails."""
        try:
            folder = reproduce.user_folder()
            return reproduce.command_line(self.scenario, self.setup, self.done(), self.swarm.now_us, folder)
        except OSError as error:
            self.say(f"the moment cannot be saved: {error.strerror or error}")
            return ""

    def command_line_of_all(self) -> str:
        """The same for the end of the run, wherever the cursor is: what broke may lie on the way to somewhere else."""
        given = [reproduce.Done(each.at_us, each.command) for each in self.machine.log]
        return reproduce.command_line(self.scenario, self.setup, given, self.end_us, reproduce.user_folder())

    def as_scenario(self) -> str:
        """The run so far, what the person did included, as the text of a scenario."""
        return reproduce.as_scenario(self.scenario, self.setup, self.done(), self.swarm.now_us)

    def _broke(self, error: Exception) -> None:
        self._alarm(str(error) if isinstance(error, PeerFailed) else f"{type(error).__name__}: {error}")

    def _alarm(self, sentence: str) -> None:
        """A peer's program failed. Such a run cannot go on: time stops, so that the moment can be looked at."""
        self.alarm = sentence
        self.machine.marks.alarm(self.swarm.now_us, sentence)
        self.live.pause()
        self.touch()
