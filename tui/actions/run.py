"""What makes the dashboard comfortable, apart from what it is for: themes, scenarios to open, things to take away,
density and motion, and the tour.

A mixin of `MainScreen`. What these do to the swarm goes through the session, as everything does.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

from textual.css.query import NoMatches
from textual.geometry import Offset, Region
from textual.widgets import Static

from engine import InputError, PeerId, Scenario, plain
from tui.config import settings
from tui.config.keys import keyed
from tui.draw import raster
from tui.screens import tour
from tui.screens.tour import WIDTH, Tour, TourBox, beside
from tui.session.frame import Frame
from tui.textual_compat import text_of
from tui.widgets.ask_bar import AskBar
from tui.widgets.panel import rename
from tui.widgets.theme_drawer import ThemeDrawer

if TYPE_CHECKING:
    from textual.screen import Screen

    from tui.app import SwarmApp
    from tui.draw.styles import Mode
    from tui.session.session import Session
    from tui.widgets.ask_picture import AskPicture
    from tui.widgets.swarm_view import SwarmView

    Base = Screen[None]
else:
    Base = object

NETWORKS, SCENARIOS = "networks", "scenarios"
HERE_MOST = 20
SPARED = 500
"""Peers that are looked at to see what a box would hide: in a crowd it hides some wherever it stands."""
FAREWELL = "That was the tour. {app.help} tells the keys, {app.palette} finds anything by name."


class Comforts(Base):
    """Actions and what they need."""

    session: Session
    drawer_shut: bool
    tour: Tour | None = None
    _keys_of: tuple[object, ...]

    if TYPE_CHECKING:

        def at_once(self) -> None: ...
        def make_room(self) -> None: ...
        def close_bars(self) -> None: ...
        @property
        def view(self) -> SwarmView: ...
        @property
        def ask_picture(self) -> AskPicture: ...

    @property
    def _swarm_app(self) -> SwarmApp:
        return self.app  # type: ignore[return-value]

    # --- themes, density, motion ------------------------------------------------------------------------------

    def action_theme(self) -> None:
        """Choose a theme, seeing it."""
        drawer = self.query_one(ThemeDrawer)
        if not drawer.is_open:
            self.close_bars()
            drawer.open(self._swarm_app.our_themes, self.app.theme)

    def on_theme_drawer_marked(self, event: ThemeDrawer.Marked) -> None:
        """Wear it for now."""
        if self.query_one(ThemeDrawer).is_open and event.name in self.app.available_themes:
            self.app.theme = event.name

    def on_theme_drawer_done(self, event: ThemeDrawer.Done) -> None:
        """Wear it, and the picture has the keys again."""
        self.query_one(ThemeDrawer).close()
        if event.name in self.app.available_themes:  # its file may be gone by now
            self.app.theme = event.name
        self.view.focus()
        if event.chosen:
            self._swarm_app.choose_theme(event.name)

    def switch_density(self) -> None:
        """Frames and air, or as much as fits."""
        app = self._swarm_app
        app.use_density("comfortable" if app.density == "compact" else "compact")
        app.keep("density", app.density, f"{app.density} density")
        self.session.say("Compact: more to see, less air." if app.density == "compact" else "Comfortable: air again.")
        self.at_once()

    def switch_glyphs(self, mode: Mode) -> None:
        """Draw with another alphabet: who sees boxes instead of dots need not leave to try letters."""
        self.view.glyphs = self.ask_picture.glyphs = mode
        self.set_class(mode == "ascii", "-letters")
        self._swarm_app.choose_glyphs(mode)
        for arrow in self.query(".arrow").results(Static):
            arrow.update("v" if mode == "ascii" else "▼")
        for widget in self.query("*"):
            if hasattr(widget, "_named"):
                rename(widget)
            widget.refresh()
        self.at_once()

    def switch_motion(self) -> None:
        """Glides and pulses, or none."""
        app = self._swarm_app
        app.use_reduced_motion(not app.reduced_motion)
        calm = app.reduced_motion
        app.keep("reduced_motion", calm, f"{'reduced' if calm else 'full'} motion")
        self.session.say("Nothing glides or pulses now." if calm else "Changes of place glide, deeds are echoed.")
        self.at_once()

    def redress(self) -> None:
        """Density, motion or keys are others now."""
        if not self.is_mounted:
            return
        self._keys_of = ()
        self.make_room()
        self.at_once()

    # --- networks and scenarios --------------------------------------------------------------------------------

    def action_network(self) -> None:
        """Choose another network for the same peers, or a scenario."""
        from engine import help_of, networks, scenario_files, title_of

        from ..screens.picker import Picker, PickerGroup, PickerItem

        nets = tuple(PickerItem(name, title_of(kind), help_of(kind)) for name, kind in networks().items())
        known = (*scenario_files.shipped(), *scenarios_here())
        stories = tuple(PickerItem(one.source, one.title, outline(one)) for one in known)
        session = self.session
        same = session.setup.protocol == session.scenario.setup.protocol
        groups = (
            PickerGroup(NETWORKS, nets, session.setup.protocol),
            PickerGroup(SCENARIOS, stories, session.scenario.source if same else ""),
        )
        self.app.push_screen(Picker(*groups), self._chosen_run)

    def _chosen_run(self, chosen: tuple[str, str] | None) -> None:
        if chosen is None:
            self.at_once()
        elif chosen[0] == NETWORKS:
            self.restart_under(chosen[1])
        else:
            self.open_scenario(chosen[1])

    def restart_under(self, protocol: str | None) -> None:
        """The same peers under another network; None is a change of mind."""
        if protocol is not None and self.session.restart(protocol):
            self._begun()
        self.at_once()

    def open_scenario(self, name: str) -> None:
        """Begin a scenario, by the name of one that is shipped or by its file."""
        from engine import scenario_files

        try:
            if self.session.open(scenario_files.find(name)):
                self._begun()
        except InputError as error:
            self.session.say(str(error))
        self.at_once()

    def _begun(self) -> None:
        self.drawer_shut = False
        self.make_room()

    # --- what one takes away -----------------------------------------------------------------------------------

    def _write(self, what: str, parts: dict[str, str], hint: str = "") -> None:
        """Write files and tell where they are; or tell why not."""
        from tui.session import export

        setup = self.session.setup
        try:
            paths = export.write(export.name_of(setup.protocol, setup.seed), parts)
        except InputError as error:
            self.notify(plain(error, limit=300), severity="error", markup=False, timeout=10)
            return
        told = export.told(paths)
        self.notify(
            plain(keyed(self.app, hint.format(told)) if hint else told, limit=400), title=what, markup=False, timeout=10
        )

    def action_screenshot(self) -> None:
        """The screen as it is, as SVG and as text."""
        self._write("screenshot", {".svg": self.app.export_screenshot(), ".txt": text_of(self)})

    def action_save(self) -> None:
        """The run so far as a scenario."""
        session = self.session
        self._write(
            "saved as a scenario",
            {".toml": session.as_scenario()},
            "{0}: swarmtop opens it by that name, and {{run.network}} does here",
        )

    def action_export(self) -> None:
        """Asks and series."""
        from tui.session import export

        self._write("exported", export.figures(self.session.report(series=True)))

    def tell_config(self) -> None:
        """Where the configuration is; one that explains itself is written where there is none."""
        path = self._swarm_app.settings.path or settings.user_file()
        try:
            fresh = settings.write_default(path)
        except OSError as error:
            self.notify(f"{path}: {error.strerror or error}", severity="error", markup=False, timeout=10)
            return
        said = f"{path}{' (new; every line is a comment)' if fresh else ''}. Themes go into {path.parent / 'themes'}."
        self.notify(said, title="configuration", markup=False, timeout=15)

    # --- the tour ---------------------------------------------------------------------------------------------

    def maybe_tour(self) -> None:
        """On a first start, and where the person wants it."""
        app = self._swarm_app
        if app.settings.tour and tour.first_time():
            self.begin_tour()

    def after_help(self, tour_wanted: bool | None) -> None:
        """Help was put away, maybe for the tour."""
        if tour_wanted:
            self.begin_tour()

    def begin_tour(self) -> None:
        """Show around, from the first step."""
        self.tour = Tour(self.session.setup.protocol, self.session.swarm.catalogue_titles(5))
        self.at_once()

    def leave_tour(self) -> bool:
        """End it. Whether there was one."""
        if self.tour is None:
            return False
        self.tour = None
        with contextlib.suppress(NoMatches):
            self.query_one(TourBox).hush()
        self.at_once()
        return True

    def on_tour_box_clicked(self) -> None:
        """Enough of it."""
        self.leave_tour()

    def show_tour(self, frame: Frame) -> None:
        """Go on with it, as far as this frame goes."""
        if self.tour is None:
            return
        self.tour.see(frame.snapshot, frame.events, frame.trace, asking=self.query_one(AskBar).has_class("-open"))
        words = self.tour.words(frame.snapshot)
        if words is None:
            self.leave_tour()
            self.notify(keyed(self.app, FAREWELL), title="tour", markup=False, timeout=8)
            return
        box = self.query_one(TourBox)
        back = keyed(self.app, "{app.back}")
        box.say(f"{words.number}/{tour.STEPS} {words.heading}", keyed(self.app, words.text), back)
        high = len(box.rows) + 2
        room = self.view.region
        if words.place == "peer" and words.peer is not None:
            box.stand(self._beside(words.peer, high, frame))
        elif words.place == "keys":
            box.stand(self._over_keys(high))
        else:
            box.stand(Offset(max(room.x, room.right - WIDTH - 1), room.y + 1))

    def _beside(self, peer: PeerId, high: int, frame: Frame) -> Offset:
        """Next to a peer, hiding few of the others, and the selected one least of all."""
        x, y = self.view.stage.dots(frame.wall_s)
        across, down = raster.DOTS[self.view.glyphs]
        inner = self.view.content_region
        cells = [(inner.x + int(a) // across, inner.y + int(b) // down) for a, b in zip(x, y, strict=True)]
        chosen = [cells[frame.selected]] * 9 if frame.selected is not None else []
        return beside(cells[peer], high, self.view.region, [*cells[:SPARED], *chosen])

    def _over_keys(self, high: int) -> Offset:
        """Just above the lowest line that is not a panel: where keys are, or where one types."""
        ask_bar = self.query_one(AskBar)
        below: Region = ask_bar.region if ask_bar.has_class("-open") else self.query_one("#timeline").region
        lifted = 1 if "jump" in self.view.over or self.query_one("#notice").has_class("-open") else 0
        return Offset(2, max(1, below.y - high - lifted))


def scenarios_here() -> list[Scenario]:
    """Scenarios that were saved where the person stands; what cannot be read is none."""
    from engine import scenario_files

    found = []
    with contextlib.suppress(OSError):
        for path in sorted(Path().glob("swarmtop-*.toml"))[:HERE_MOST]:
            with contextlib.suppress(InputError):
                found.append(scenario_files.load(path))
    return found


def outline(scenario: Scenario) -> str:
    """What a scenario is, for reading before it is opened: its own words, and what it is made of."""
    setup = scenario.setup
    rows = [f"  network    {setup.protocol}", f"  peers      {setup.peers:,}, seed {setup.seed}"]
    rows += [f"  topology   {plain(setup.topology)}"]
    rows += [f"  churn      {plain(setup.churn)}"] if setup.churn != "none" else []
    rows += [f"  happens    {_when(at_us)} {plain(command.verb)}" for at_us, command in setup.schedule[:6]]
    rows += [f"  expects    {expect.sentence()}" for expect in scenario.expects[:4]]
    return f"{scenario.about.strip()}\n\n" + "\n".join(rows)


def _when(at_us: int) -> str:
    return f"at {at_us / 1e6:g} s:"
