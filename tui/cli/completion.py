"""`swarmtop completion SHELL`: a script that completes command lines in bash, zsh and fish.

The scripts are made from the parsers and from what there is (networks, scenarios, topics, themes, options), and contain
all of it: a key press starts no Python, which takes half a second with the engine. A user makes them again after an
update.
"""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field

from engine import dataclass

from .common import COMMANDS, DONE, Parser, WrongError, did_you_mean, say

SHELLS = ("bash", "zsh", "fish")
DASHBOARD = "dashboard"
FILES = "FILES"
"""Stands for the names of files in a list of words."""


@dataclass(frozen=True, slots=True)
class Flag:
    """A flag: its names, what it does, and the words that its value may be. words: None where it takes no value."""

    names: tuple[str, ...]
    about: str
    words: tuple[str, ...] | None = None

    @property
    def name(self) -> str:
        """The long name."""
        return next((name for name in self.names if name.startswith("--")), self.names[0])


@dataclass(slots=True)
class Known:
    """What is completed: of each command its flags and the words that may follow it; the options of each network; and
    the network of each scenario."""

    flags: dict[str, list[Flag]] = field(default_factory=dict)
    words: dict[str, tuple[str, ...]] = field(default_factory=dict)
    about: dict[str, str] = field(default_factory=dict)
    options: dict[str, list[str]] = field(default_factory=dict)
    networks: dict[str, str] = field(default_factory=dict)


def run(shell: str | None, parsers: Mapping[str, Parser]) -> int:
    """`swarmtop completion`. Raises WrongError for a shell that is not known."""
    if shell is None:
        raise WrongError("completion for which shell? bash, zsh or fish")
    if shell not in SHELLS:
        raise WrongError(f'completion: "{shell}" should be bash, zsh or fish{did_you_mean(shell, SHELLS)}')
    say({"bash": bash, "zsh": zsh, "fish": fish}[shell](known(parsers)).rstrip("\n"))
    return DONE


def known(parsers: Mapping[str, Parser]) -> Known:
    """What there is to complete."""
    from engine import goals_to_ask, networks, options_of, scenario_files

    from ..config.themes import available
    from .help_topics import topics

    made = Known()
    stories = scenario_files.shipped()
    made.options = {name: [f"{option}=" for option in options_of(kind)] for name, kind in networks().items()}
    made.networks = {name: name for name in made.options} | {one.source: one.setup.protocol for one in stories}
    named = (*made.networks, FILES)
    values: dict[str, tuple[str, ...]] = {
        "--protocol": tuple(made.options),
        "--theme": (*(name for name, _ in available()), FILES),
        "--glyphs": ("braille", "block", "ascii"),
        "--topology": ("random:", "small-world:", "scale-free:", "ring", "complete", "tree:", FILES),
        "--latency": ("world", "constant:", "uniform:", FILES),
        "--churn": (*("none", "exponential:", "weibull:", "pareto:", "redhat", "debian", "flatout"), FILES),
        "--arrivals": ("none", "poisson:", "weibull:"),
        "--capacity": ("none", "saroiu"),
        "--until": ("quiet",),
        "--sweep": tuple(f"{verb}:" for verb in ("kill", "leave", "censor", "collude", "poison")),
        "--goal": tuple(dict.fromkeys(goal.name for kind in networks().values() for goal in goals_to_ask(kind.goals))),
        "--from": ("random", "role=", "state=", "city=", "degree>", "top"),
    }
    made.words = {
        DASHBOARD: (*COMMANDS, *named),
        "run": named,
        "replay": (FILES,),
        "protocols": tuple(made.options),
        "scenarios": (*(one.source for one in stories), FILES),
        "help": tuple(dict.fromkeys((*topics(), *COMMANDS, *made.networks))),
        "completion": SHELLS,
    }
    for command, parser in parsers.items():
        name = command or DASHBOARD
        made.about[name] = (parser.description or "").strip().partition("\n")[0]
        for action in parser.actions:
            if action.option_strings and action.help != argparse.SUPPRESS:
                takes = action.nargs != 0
                files = (FILES,) if action.metavar == "FILE" else ()
                words = values.get(action.option_strings[-1], values.get(action.option_strings[0], files))
                flag = Flag(tuple(action.option_strings), action.help or "", words if takes else None)
                made.flags.setdefault(name, []).append(flag)
    return made


def _quoted(words: Iterable[str]) -> str:
    """Words as one argument, separated by blanks."""
    return shlex.quote(" ".join(words))


def _plain(words: Sequence[str]) -> list[str]:
    return [word for word in words if word != FILES]


def _all_flags(made: Known) -> dict[str, Flag]:
    """Each flag that takes a value, once: a name means the same for all commands."""
    return {flag.name: flag for flags in made.flags.values() for flag in flags if flag.words is not None}


def _by_network(made: Known, indent: str, each: str) -> str:
    """Branches of a case of bash and zsh, with what is done for the options of a network."""
    lines = []
    for network in made.options:
        names = "|".join(name for name, of in made.networks.items() if of == network)
        lines.append(f"{indent}{names}) {each.format(_quoted(made.options[network]))} ;;")
    return "\n".join(lines)


def bash(made: Known) -> str:
    """The script for bash."""
    by_flag = []
    for flag in _all_flags(made).values():
        words = flag.words or ()
        if flag.name == "--set":
            continue
        files = " files=1" if FILES in words else ""
        by_flag.append(f"        {flag.name}) list={_quoted(_plain(words))}{files} ;;")
    by_command = []
    for command, flags in made.flags.items():
        words = made.words.get(command, ())
        files = " files=1" if FILES in words else ""
        names = _quoted(name for flag in flags for name in flag.names)
        by_command.append(f"        {command}) flags={names} list={_quoted(_plain(words))}{files} ;;")
    nl = "\n"
    return f"""\
# Completion of swarmtop for bash, made by: swarmtop completion bash
_swarmtop() {{
    local line=${{COMP_LINE:0:COMP_POINT}} cur prev word command={DASHBOARD} flags= list= files= value= net=gnutella
    local -a words
    read -ra words <<<"$line"
    [[ $line == *[[:space:]] ]] && words+=("")
    cur=${{words[${{#words[@]}}-1]}}
    prev=${{words[${{#words[@]}}-2]}}
    # What bash replaces begins after the last = or :, see COMP_WORDBREAKS.
    local here=${{COMP_WORDS[COMP_CWORD]}}
    [[ $here == [=:]* ]] && here=${{here:1}}
    local lead=${{cur:0:${{#cur}}-${{#here}}}}
    case "${{words[1]}}" in
        {"|".join(COMMANDS)}) ((${{#words[@]}} > 2)) && command=${{words[1]}} ;;
    esac
    if [[ $cur == --*=* ]]; then
        prev=${{cur%%=*}} lead=${{lead#"$prev="}} cur=${{cur#*=}}
    fi
    case "$command" in
{nl.join(by_command)}
    esac
    case "$prev" in
        --set)
            for word in "${{words[@]}}"; do
                case "$word" in
{_by_network(made, " " * 20, "list={} net=$word")}
                esac
            done
            [[ $net == gnutella ]] && list={_quoted(made.options.get("gnutella", ()))}
            flags= files= value=1 ;;
        --*) value=1 ;;
    esac
    if [[ $value && $prev != --set ]]; then
        value=
        case "$prev" in
            {"|".join(name for name in _all_flags(made) if name != "--set")}) list= flags= files= value=1 ;;
        esac
        case "$prev" in
{nl.join(by_flag)}
        esac
    fi
    COMPREPLY=()
    [[ $cur == -* && ! $value ]] && list=$flags files=
    for word in $list; do
        [[ $word == "$cur"* ]] && COMPREPLY+=("${{word#"$lead"}}")
    done
    if [[ $files ]]; then
        compopt -o filenames 2>/dev/null
        while IFS= read -r word; do COMPREPLY+=("${{word#"$lead"}}"); done < <(compgen -f -- "$cur")
    fi
    [[ ${{#COMPREPLY[@]}} == 1 && ${{COMPREPLY[0]}} == *[=:\\>] ]] && compopt -o nospace 2>/dev/null
    return 0
}}
complete -F _swarmtop swarmtop
"""


def zsh(made: Known) -> str:
    """The script for zsh."""

    def described(pairs: Iterable[tuple[str, str]]) -> str:
        return " ".join(shlex.quote(name.replace(":", "\\:") + (f":{about}" if about else "")) for name, about in pairs)

    def offered(words: Sequence[str]) -> str:
        ends = [word for word in _plain(words) if word.endswith(("=", ":", ">"))]
        whole = [word for word in _plain(words) if word not in ends]
        made = [f"compadd -- {' '.join(map(shlex.quote, whole))}"] if whole else []
        made += [f"compadd -S '' -- {' '.join(map(shlex.quote, ends))}"] if ends else []
        made += ["_files"] if FILES in words else []
        return "; ".join(made) or ":"

    by_flag = [f"        {f.name}) {offered(f.words or ())}; return ;;" for f in _all_flags(made).values()]
    by_command, flags_of = [], []
    for command, flags in made.flags.items():
        words = [word for word in made.words.get(command, ()) if command != DASHBOARD or word not in COMMANDS]
        first = "_describe command commands; " if command == DASHBOARD else ""
        by_command.append(f"        {command}) {first}{offered(words)} ;;")
        pairs = described((name, flag.about) for flag in flags for name in flag.names)
        flags_of.append(f"        {command}) flags=({pairs}) ;;")
    options = "\n".join(
        f"                {'|'.join(name for name, of in made.networks.items() if of == network)})"
        f" options=({' '.join(names)}) ;;"
        for network, names in made.options.items()
    )
    commands = described((name, made.about.get(name, "")) for name in COMMANDS)
    nl = "\n"
    return f"""\
#compdef swarmtop
# Completion of swarmtop for zsh, made by: swarmtop completion zsh
_swarmtop() {{
    local cur=$words[CURRENT] prev=$words[CURRENT-1] command={DASHBOARD} word
    local -a commands flags options
    commands=({commands})
    if (( CURRENT > 2 )); then
        case $words[2] in
            {"|".join(COMMANDS)}) command=$words[2] ;;
        esac
    fi
    if [[ $cur == --*=* ]]; then
        prev=${{cur%%=*}}
        compset -P '*='
        cur=${{cur#*=}}
    fi
    case $command in
{nl.join(flags_of)}
    esac
    if [[ $prev == --set ]]; then
        options=({" ".join(made.options.get("gnutella", ()))})
        for word in $words; do
            case $word in
{options}
            esac
        done
        compadd -S '' -- $options
        return
    fi
    case $prev in
{nl.join(line for line in by_flag if not line.lstrip().startswith("--set)"))}
    esac
    if [[ $cur == -* ]]; then
        _describe flag flags
        return
    fi
    case $command in
{nl.join(by_command)}
    esac
}}
if [[ $funcstack[1] == _swarmtop ]]; then
    _swarmtop "$@"
else
    compdef _swarmtop swarmtop
fi
"""


def fish(made: Known) -> str:
    """The script for fish."""

    def quoted(text: str) -> str:
        return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"

    lines = []
    for name in COMMANDS:
        lines.append(f"complete -c swarmtop -n '__swarmtop_first' -f -a {name} -d {quoted(made.about.get(name, ''))}")
    for command, flags in made.flags.items():
        on = f"complete -c swarmtop -n '__swarmtop_is {command}'"
        words = [word for word in made.words.get(command, ()) if command != DASHBOARD or word not in COMMANDS]
        lines.append(f"{on} {'-F' if FILES in words else '-f'} -a {quoted(' '.join(_plain(words)))}")
        for flag in flags:
            names = " ".join(f"-l {n[2:]}" if n.startswith("--") else f"-s {n[1:]}" for n in flag.names)
            value = ""
            if flag.name == "--set":
                value = " -x -a '(__swarmtop_options)'"
            elif flag.words is not None:
                listed = f" -a {quoted(' '.join(_plain(flag.words)))}" if _plain(flag.words) else ""
                value = (" -r -F" if FILES in flag.words else " -x") + listed
            lines.append(f"{on} {names}{value} -d {quoted(flag.about)}")
    options = "\n".join(
        f"            case {' '.join(name for name, of in made.networks.items() if of == network)}\n"
        f"                set found {' '.join(names)}"
        for network, names in made.options.items()
    )
    nl = "\n"
    return f"""\
# Completion of swarmtop for fish, made by: swarmtop completion fish
function __swarmtop_first
    test (count (commandline -opc)) -eq 1
end
function __swarmtop_is
    set -l tokens (commandline -opc)
    set -l command {DASHBOARD}
    if test (count $tokens) -gt 1; and contains -- $tokens[2] {" ".join(COMMANDS)}
        set command $tokens[2]
    end
    test $command = $argv[1]
end
function __swarmtop_options
    set -l found {" ".join(made.options.get("gnutella", ()))}
    for token in (commandline -opc)
        switch $token
{options}
        end
    end
    printf '%s\\n' $found
end
complete -c swarmtop -f
{nl.join(lines)}
"""
