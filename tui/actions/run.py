"""Actions on the run as a whole: another network or scenario, the court, attacks under way, and files to write."""

from __future__ import annotations

import contextlib
from functools import partial
from pathlib import Path

from engine import CallOff, InputError, Scenario, plain
from tui.config.keys import keyed
from tui.screens.main import Action, Context, Words
from tui.session.verbs import asker_of, calling_off
from tui.textual_compat import text_of

NETWORKS, SCENARIOS = "networks", "scenarios"
HERE_MOST = 20
COPIED = "sent to the clipboard, if your terminal allows it: this command reproduces this moment"

# --- networks and scenarios -----------------------------------------------------------------------------------------


def choose(context: Context) -> None:
    """Choose another network for the same peers, or a scenario."""
    from engine import help_of, networks, scenario_files, title_of
    from tui.screens.picker import Picker, PickerGroup, PickerItem

    nets = tuple(PickerItem(name, title_of(kind), help_of(kind)) for name, kind in networks().items())
    known = (*scenario_files.shipped(), *scenarios_here())
    stories = tuple(PickerItem(one.source, one.title, outline(one)) for one in known)
    session = context.session
    same = session.player.setup.protocol == session.player.scenario.setup.protocol
    groups = (
        PickerGroup(NETWORKS, nets, session.player.setup.protocol),
        PickerGroup(SCENARIOS, stories, session.player.scenario.source if same else ""),
    )

    def chosen(what: tuple[str, str] | None) -> None:
        if what is not None:
            (restart_under if what[0] == NETWORKS else open_scenario)(what[1], context)

    context.screen.app.push_screen(Picker(*groups), chosen)


def restart_under(protocol: str, context: Context) -> None:
    """Restart the same peers with another network. The peer that would have asked next is selected in the new run: not
    a peer that was silenced, but the former asker, so that the two runs can be compared."""
    frame = context.screen.frame
    asker = None if frame is None else asker_of(frame)
    if context.session.restart(protocol):
        if asker is not None and asker < len(context.session.swarm.labels):
            context.session.selection.select(asker)
        context.screen.begun()


def load_again(context: Context) -> None:
    """Execute the network's file anew and begin the run again; the same peer stays selected."""
    selected = context.session.selection.selected
    if context.session.load_again():
        if selected is not None and selected < len(context.session.swarm.labels):
            context.session.selection.select(selected)
        context.screen.begun()


def _no_file(context: Context) -> str:
    from engine import file_of

    if file_of(context.session.player.setup.protocol) is not None:
        return ""
    return "This network comes with swarmtop: only one that you opened by its file, as my_net.py, is loaded again."


def open_scenario(name: str, context: Context) -> None:
    """Begin a scenario, by the name of one that is shipped or by its file."""
    from engine import scenario_files

    try:
        if context.session.open(scenario_files.find(name)):
            context.screen.begun()
            context.screen.colour_by_scenario()
    except InputError as error:
        context.session.say(str(error))


def scenarios_here() -> list[Scenario]:
    """Scenarios in the current folder; files that cannot be read as scenarios are left out."""
    from engine import scenario_files

    found = []
    with contextlib.suppress(OSError):
        for path in sorted(Path().glob("swarmtop-*.toml"))[:HERE_MOST]:
            with contextlib.suppress(InputError):
                found.append(scenario_files.load(path))
    return found


def outline(scenario: Scenario) -> str:
    """A scenario in words, to read before it is opened: its description and its contents."""
    setup = scenario.setup
    rows = [f"  network    {setup.protocol}", f"  peers      {setup.peers:,}, seed {setup.seed}"]
    rows += [f"  topology   {plain(setup.topology)}"]
    rows += [f"  churn      {plain(setup.churn)}"] if setup.churn != "none" else []
    rows += [f"  happens    at {at_us / 1e6:g} s: {plain(command.verb)}" for at_us, command in setup.schedule[:6]]
    rows += [f"  expects    {expect.sentence()}" for expect in scenario.expects[:4]]
    return f"{scenario.about.strip()}\n\n" + "\n".join(rows)


# --- court and attacks ----------------------------------------------------------------------------------------------


def court(context: Context) -> None:
    """Start a court, or end it."""
    context.session.toggle_court()


def call_off(context: Context) -> None:
    """Cancel what attacks have still to do."""
    context.screen.carry_out(CallOff())


def _no_attack(context: Context) -> str:
    return "" if context.session.swarm.snapshot().attacks else "No attack is under way."


def _words_attacks(context: Context) -> Words:
    going = context.session.swarm.snapshot().attacks
    if not going:
        return Words()
    says, tip = calling_off(going)
    return Words("", f"Attack: {says}", tip)


# --- files and the clipboard ----------------------------------------------------------------------------------------


def copy(context: Context) -> None:
    """Put the command line that reproduces this moment on the clipboard, and show it."""
    line = context.session.command_line()
    if line:
        context.screen.app.copy_to_clipboard(line)
        # The terminal does not report whether it took it (OSC 52), so the whole line is shown.
        context.screen.notify(line, title=COPIED, markup=False, timeout=15)


NOTHING_DONE = "Nothing was done yet in this run."
LINES, FLAG, WORDS = "lines of a scenario", "flags of swarmtop run", "verb and selector"


def copy_done(form: str, context: Context) -> None:
    """Copy the line of the history under the cursor, or the latest thing that was done."""
    one = context.screen.chosen_done
    if one is not None:
        words = one.selector_line(context.session.swarm.labels)
        text = one.scenario_lines() if form == LINES else one.flags() if form == FLAG else words
        context.screen.app.copy_to_clipboard(text)
        shown = " · ".join(text.strip().splitlines())
        context.screen.notify(shown, title=f"copied as {form}, if your terminal allows it", markup=False, timeout=10)


def _not_done(form: str, context: Context) -> str:
    one = context.screen.chosen_done
    return NOTHING_DONE if one is None else one.no_flag() if form == FLAG else ""


def to_done(context: Context) -> None:
    """Go to the moment of the line of the history under the cursor."""
    one = context.screen.chosen_done
    if one is not None:
        context.session.player.scrub_to(one.at_us)


def _write(context: Context, what: str, parts: dict[str, str], hint: str = "") -> None:
    """Write files and say where they are, or why not."""
    from tui.session import export

    setup, screen = context.session.player.setup, context.screen
    try:
        paths = export.write(export.stem_of(setup.protocol, setup.seed), parts)
    except InputError as error:
        screen.notify(plain(error, limit=300), severity="error", markup=False, timeout=10)
        return
    listed = export.listed(paths)
    said = keyed(screen.app, hint.format(listed)) if hint else listed
    screen.notify(plain(said, limit=400), title=what, markup=False, timeout=10)


def screenshot(context: Context) -> None:
    """Write the screen, as SVG and as text."""
    parts = {".svg": context.screen.app.export_screenshot(), ".txt": text_of(context.screen)}
    _write(context, "screenshot", parts)


def record(context: Context) -> None:
    """Record the run into a file in the current folder, or stop that."""
    from tui.session import export

    session = context.session
    if session.player.recording:
        session.player.stop_recording()
        return
    try:
        path = export.write(export.stem_of(session.player.setup.protocol, session.player.setup.seed), {".swarm": ""})[0]
    except InputError as error:
        context.screen.notify(plain(error, limit=300), severity="error", markup=False, timeout=10)
        return
    here = path.name if path.parent == Path.cwd() else str(path)
    if not session.player.record(here):
        path.unlink(missing_ok=True)


def _no_recording(context: Context) -> str:
    if context.session.player.replaying and not context.session.player.recording:
        return "This run comes from a recording. After any other action it is a new run, which can be recorded."
    return ""


def _words_record(context: Context) -> Words:
    return Words("stop recording" if context.session.player.recording else "")


def save(context: Context) -> None:
    """Save the run so far as a scenario."""
    _write(
        *(context, "saved as a scenario", {".toml": context.session.as_scenario()}),
        "{0}: swarmtop opens it by that name, and {{run.network}} does here",
    )


def export_figures(context: Context) -> None:
    """Write asks and series."""
    from tui.session import export

    _write(context, "exported", export.figures(context.session.report(series=True)))


ACTIONS: tuple[Action, ...] = (
    Action(
        *("run.network", "p", "network", "Run", "Restart with another network, or open a scenario.", 5),
        run=choose,
        says="Run: network or scenario",
        synonyms=(
            "protocol, restart, reset, scenario, open, load, new run, switch network, change protocol, start over, file"
        ),
    ),
    Action(
        *("run.load", "L", "load file again", "Run"),
        "Load the file of your own network again, and begin the same seed with what it says now.",
        run=load_again,
        why_not=_no_file,
        synonyms="reload, restart, file, edit, refresh, rerun, hot reload, code, own network, new code, save",
    ),
    Action(
        *("run.court", "h", "court", "Run"),
        *("Start a court, which censors every peer that answers, two seconds after its answer; or end it.", 18),
        run=court,
        synonyms="takedown, legal, injunction, adaptive adversary, notice, DMCA, censor, whack-a-mole",
    ),
    Action(
        *(
            "run.calloff",
            "",
            "cancel attacks",
            "Run",
            "Cancel what attacks have still to do; what they did stays.",
        ),
        run=call_off,
        why_not=_no_attack,
        words=_words_attacks,
        synonyms="stop attack, call off, abort, end attack",
    ),
    Action(
        *("run.copy", "y", "copy command", "Run", "Copy the command line that reproduces this moment.", 16),
        run=copy,
        synonyms="clipboard, share, reproduce, reproducible, link, yank, permalink, command line",
    ),
    Action(
        *("run.copy_action", "Y", "copy action", "Run"),
        "Copy the line of the history under the cursor, or the latest action, as lines of a scenario.",
        run=partial(copy_done, LINES),
        why_not=partial(_not_done, LINES),
        says="History: copy as lines of a scenario",
        synonyms="clipboard, command, toml, history",
    ),
    Action(
        *("run.copy_flag", "", "copy as flags", "Run", "Copy it as flags of swarmtop run, where there are some."),
        run=partial(copy_done, FLAG),
        why_not=partial(_not_done, FLAG),
        says="History: copy as flags of swarmtop run",
        synonyms="clipboard, command line, history",
    ),
    Action(
        *("run.copy_words", "", "copy as verb and selector", "Run", "Copy it as the controls take it: kill p012."),
        run=partial(copy_done, WORDS),
        why_not=partial(_not_done, WORDS),
        says="History: copy as verb and selector",
        synonyms="clipboard, selector, command, history",
    ),
    Action(
        *("run.to_action", "", "go to this moment", "Run", "Go to the moment when it was done."),
        run=to_done,
        why_not=partial(_not_done, LINES),
        says="History: go to the moment of this action",
        synonyms="jump, seek, time, history",
    ),
    Action(
        *("run.screenshot", "S", "screenshot", "Run", "Write the screen to a file, as SVG and as text."),
        run=screenshot,
        synonyms="picture, image, snapshot, print, SVG, capture, export picture",
    ),
    Action(
        *("run.record", "r", "record", "Run", "Write this run into a file, or stop it.", 24),
        run=record,
        why_not=_no_recording,
        words=_words_record,
        synonyms="recording, replay, trace, save, save run, log to file, capture",
    ),
    Action(
        *("run.save", "W", "save scenario", "Run", "Save the run so far as a scenario, with everything you did."),
        run=save,
        synonyms="snapshot, write, store, save as, TOML, export scenario",
    ),
    Action(
        *("run.export", "E", "export figures", "Run", "Write asks and series to files, as CSV and JSON."),
        run=export_figures,
        synonyms="csv, json, data, results, save data, metrics, statistics, spreadsheet, download figures",
    ),
)
