"""The rules for the programs of a network. A program that breaks one is refused before a run begins, in one sentence:
which class, its place in its file, what was expected, and the nearest spelling.

`check` takes some programs of one network, whichever files they are in. `check_whole` takes all of them, since only
then it is known whether a message is handled by none. `check_source` reads the text of their files, which takes
milliseconds for each thousand lines: it is for the files that a person names, and for `swarmtop check`.
"""

from __future__ import annotations

import ast
import builtins
import inspect
import re
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import MISSING, Field, fields, is_dataclass
from functools import cache
from inspect import get_annotations
from types import FunctionType, ModuleType, NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from . import api
from .api import PARTS, Candidate, Component, Goal, Host, Message, Peer, Rng, Shown, Station, Switch, Verb
from .commands import VERBS
from .errors import InputError, Place, nearest, place_in_protocol, place_of, plain
from .options import allowed_of
from .programs import ANSWER_AT, components_of, values_of, verbs_of
from .sim.encoding import annotation_of

MARKS = {"_handles": "on", "_handles_replies": "on_reply", "_handles_timeouts": "on_timeout"}
"""The attribute that a decorator sets on a handler -> the name of the decorator."""
MESSAGE = ("self", "host", "sender", "message")
TICK = ("self", "host", "tick")
TAKES = {
    "on_reply": ("self", "host", "sender", "answer", "context"),
    "on_timeout": ("self", "host", "to", "context", "reason"),
}
"""Parameters of the handlers of calls."""
NEAR = 0.8
"""Least similarity at which a name that nothing uses is taken for a misspelt name of `Peer`."""
LETTERS_MOST = 2
"""By how many letters such a name may be longer or shorter than the name of `Peer`."""


def check(programs: Sequence[type[Peer]]) -> None:
    """Raise InputError, one sentence, unless these programs of one network keep the rules. The first is the program of
    an ordinary peer."""
    names: dict[type[Component], str] = {}
    options = getattr(programs[0], "options_type", None)
    _check_options(programs[0])
    for program in programs:
        if program.reach != programs[0].reach:
            raise InputError(
                f'{program.__qualname__} has the reach "{program.reach}" and {programs[0].__qualname__} '
                f'"{programs[0].reach}": all programs of a network have the same{place_of(program)}'
            )
        _check_class(program)
        _check_components(program)
        for path, kind in components_of(program).items():
            known = names.setdefault(kind, path)
            if known != path:
                raise InputError(
                    f'{program.__qualname__}: its components "{known}" and "{path}" are both a {kind.__qualname__}, '
                    f"which can be a component once in a network{place_of(program)}"
                )
            _check_class(kind)
            _check_options_of_component(programs[0], options, path, kind)
        _check_verbs(program)


def check_whole(classes: Sequence[type[Peer]], messages: Iterable[type[Any]]) -> None:
    """Raise InputError unless each of these messages, which are all that the file of a network defines, is handled by
    one of its classes, or answers a call; and each call can be answered. classes: all, components included."""
    handled = {kind for program in classes for kind in program.handlers}
    answer_handlers: dict[FunctionType, None] = {}
    for program in classes:
        if program.name and not (isinstance(program.name, str) and re.fullmatch(r"[\w-]+", program.name)):
            name = plain(program.name, 40)
            raise InputError(
                f"{_whose(program, 'name')} should be one word, which is typed on the command line, not {name}"
                f"{place_of(program)}"
            )
        if program.name and program.ask is Peer.ask:
            raise InputError(
                f"{program.__qualname__} has no method ask(self, host, ask), which begins what a user wants"
                f"{place_of(program)}"
            )
        for mark, handler, kind in _handlers(program):
            if mark == "on":
                continue
            where = Place(handler)
            if kind not in handled:
                raise InputError(
                    f"{program.__qualname__}.{handler.__name__} has @{mark}({kind.__name__}), which names the class of "
                    f"the request, and no program of the network handles {kind.__name__} with @on"
                    f"{_nearest_class(kind, handled)}{where}"
                )
            if mark == "on_reply":
                answer_handlers[handler] = None
    answers: list[type[Any]] = []
    for handler in answer_handlers:
        answers += _classes_in(annotation_of(handler, ANSWER_AT))
    for kind in messages:
        try:
            if not _known_names(kind):
                get_type_hints(kind)
        except Exception as error:
            raise InputError(
                f"the message {kind.__name__}: an annotation cannot be read: {error}{place_of(kind)}"
            ) from None
        if kind in handled or any(issubclass(kind, answer) for answer in answers) or kind.__subclasses__():
            continue
        raise InputError(
            f"nobody handles the message {kind.__name__}: a method of a program with @on({kind.__name__}) is expected, "
            f"or one with @on_reply of the request that it answers, whose answer: {kind.__name__}{place_of(kind)}"
        )
    for program in classes:
        for mark, handler, kind in _handlers(program):
            if mark == "on_reply" and kind not in program.timeouts:
                _check_end_is_handled(program, handler, kind)
    for program in classes:
        for base in _own_bases(program):
            _check_names_used(base)


def _check_end_is_handled(program: type[Peer], handler: FunctionType, kind: type[Any]) -> None:
    """A program that handles answers also handles calls that end without one."""
    if NoneType in get_args(annotation_of(handler, ANSWER_AT)):
        return
    answer = handler.__code__.co_varnames[ANSWER_AT]
    hint = handler.__annotations__.get(answer, "object")
    raise InputError(
        f"{_whose(program, handler.__name__)} is told of answers to {kind.__name__}, and nothing of a call that ends "
        f"without one: a method with @on_timeout({kind.__name__}) is expected, or here {answer}: "
        f"{getattr(hint, '__name__', hint)} | None{Place(handler)}"
    )


# --- one class ---------------------------------------------------------------------------------------------------


_checked: dict[type, None] = {}
"""Classes that keep the rules of `_check_class`."""


def _check_class(program: type[Peer]) -> None:
    """The rules that concern one class and its bases."""
    if program in _checked:
        return
    _check_attributes(program)
    for base in _own_bases(program):
        _check_methods(base)
        _check_handlers_of(base)
    for mark, handler, kind in _handlers(program):
        _check_handler(program, mark, handler, kind)
    _check_overrides(program)
    _checked[program] = None


def _own_bases(program: type[Peer]) -> Iterator[type]:
    """The class and its bases, without those of the engine."""
    return (base for base in program.__mro__ if base not in (Peer, Component, object))


def _whose(program: type, name: str) -> str:
    return f"{program.__qualname__}.{name}"


def _check_attributes(program: type[Peer]) -> None:
    where = Place(program)

    def refuse(name: str, expected: str) -> None:
        shown = plain(getattr(program, name), 40)
        raise InputError(f"{_whose(program, name)} should be {expected}, not {shown}{where}")

    for name in ("overlay", "has_all", "shares_files", "ledger"):
        if not isinstance(getattr(program, name), bool):
            refuse(name, "True or False")
    for name in ("role", "usual_nat"):
        if not isinstance(getattr(program, name), str):
            refuse(name, "a text")
    for name, words in (("knows", ("overlay", "everyone")), ("reach", ("anyone", "links"))):
        if getattr(program, name) not in words:
            refuse(name, " or ".join(f'"{word}"' for word in words))
    texts = dict.fromkeys(("roles", "link_words", "remark_keys"), (str, "texts"))
    for name, (kind, what) in {**texts, "shows": (Shown, "Shown(...)"), "goals": (Goal, "Goal(...)")}.items():
        value = getattr(program, name)
        if not isinstance(value, tuple) or not all(isinstance(one, kind) for one in value):
            refuse(name, f"a tuple of {what}, which with one entry ends in a comma: (x,)")
    if not program.goals:
        refuse("goals", "a tuple of one Goal at least")
    _check_goals(program)
    for base in _own_bases(program):
        for name, value in vars(base).items():
            if name.startswith("__") or name in vars(Peer):
                continue
            if isinstance(value, Field) and name not in program.components:
                raise InputError(
                    f"{_whose(base, name)} is a field(...), and {base.__qualname__} is no dataclass: "
                    f"@dataclass(slots=True, eq=False) is expected before it{place_of(base)}"
                )
            if isinstance(value, (dict, list, set, bytearray)) and "ClassVar" not in str(_hint_of(base, name)):
                raise InputError(
                    f"{_whose(base, name)} is one {type(value).__name__} that all peers share: a field of a dataclass "
                    f"with field(default_factory={type(value).__name__}) is expected{place_of(base)}"
                )


def _hint_of(base: type, name: str) -> object:
    return get_annotations(base).get(name, "")


def _check_goals(program: type[Peer]) -> None:
    where = Place(program)
    audiences = ("holders", "everyone", "one", "nobody")
    names: dict[str, None] = {}
    for goal in program.goals:
        whose = f'the goal "{plain(goal.name, 40)}" of {program.__qualname__}'
        if goal.name in names:
            raise InputError(f"{whose} is defined twice{where}")
        names[goal.name] = None
        if not callable(goal.audience) and goal.audience not in audiences:
            near = nearest(str(goal.audience), audiences)
            raise InputError(f'{whose} has no audience "{plain(goal.audience, 40)}"{near}{where}')
        for word in ("verb", "about", "did", "doing", "one", "what"):
            if not isinstance(getattr(goal, word), str):
                raise InputError(f"{whose}: {word} should be a text, not {plain(getattr(goal, word), 40)}{where}")
        if not callable(goal.draw) and goal.draw != "title":
            raise InputError(f'{whose}: draw should be "title" or a function, not {plain(goal.draw, 40)}{where}')
        texts: object = goal.examples
        listed = isinstance(texts, tuple) and texts and all(isinstance(one, str) for one in texts)
        if not callable(texts) and not listed and texts != "title":
            raise InputError(
                f'{whose}: examples should be "title", a tuple of texts or a function, not {plain(texts, 40)}{where}'
            )
        if not isinstance(goal.asked, bool):
            raise InputError(f"{whose}: asked should be True or False, not {plain(goal.asked, 40)}{where}")
        if not goal.asked and goal is program.goals[0]:
            raise InputError(f"{whose} is not asked for, and the first goal is that of an ask that names none{where}")
        parts: object = goal.reached_by
        if not isinstance(parts, frozenset) or not all(part in PARTS for part in parts):
            raise InputError(f"{whose}: reached_by should be a frozenset of {', '.join(PARTS)}{where}")


def _methods(base: type) -> Iterator[tuple[str, object, FunctionType]]:
    """Name, attribute and function of each method that a class defines."""
    for name, value in vars(base).items():
        function = getattr(value, "__func__", value)
        function = inspect.unwrap(function) if callable(function) else function
        if isinstance(function, FunctionType):
            yield name, value, function


def _check_methods(base: type) -> None:
    """A method that overrides one of `Peer` takes the arguments that the engine passes."""
    for name, value, function in _methods(base):
        given = vars(Peer).get(name)
        if name.startswith("_") or not isinstance(given, (FunctionType, classmethod)):
            continue
        if isinstance(given, classmethod) != isinstance(value, classmethod):
            decorated = (
                "a @classmethod" if isinstance(given, classmethod) else "a method of a peer, and no @classmethod"
            )
            raise InputError(f"{_whose(base, name)} should be {decorated}{place_of(function)}")
        expected = _parameters(given.__func__ if isinstance(given, classmethod) else given)
        _check_takes(base, function, expected)


def _parameters(function: Any) -> tuple[str, ...]:
    code = inspect.unwrap(function).__code__
    return tuple(code.co_varnames[: code.co_argcount])


def _check_takes(base: type, function: FunctionType, expected: Sequence[str]) -> None:
    """A function takes these arguments, and is no coroutine: a call of that would run nothing."""
    code, many = function.__code__, len(expected)
    whose = _whose(base, function.__name__)
    needed = code.co_argcount - len(function.__defaults__ or ())
    wanted = f"({', '.join(expected)})"
    more = not code.co_flags & inspect.CO_VARARGS and code.co_argcount < many
    named = code.co_kwonlyargcount > len(function.__kwdefaults__ or {})
    if needed > many or more or named:
        has = ", ".join(code.co_varnames[: code.co_argcount + code.co_kwonlyargcount])
        raise InputError(f"{whose} takes ({has}), and {wanted} is expected{place_of(function)}")
    if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
        raise InputError(f"{whose} is async, and a plain method is expected: nothing awaits it{place_of(function)}")


def _check_handlers_of(base: type) -> None:
    """No two methods of a class handle the same."""
    known: dict[tuple[str, object], str] = {}
    for name, value, function in _methods(base):
        for mark, decorator in MARKS.items():
            for kind in getattr(value, mark, ()):
                before = known.setdefault((decorator, kind), name)
                if before != name:
                    raise InputError(
                        f"{base.__qualname__}.{before} and .{name} both have @{decorator}({_name(kind)}): "
                        f"one of them is expected{place_of(function)}"
                    )


def _check_overrides(program: type[Peer]) -> None:
    """A method that overrides a handler is decorated as a handler too: the engine calls only those."""
    plain_ones: dict[str, tuple[type, FunctionType]] = {}
    marked: dict[str, None] = {}
    for base in _own_bases(program):
        for name, value, function in _methods(base):
            for mark, decorator in MARKS.items():
                if hasattr(value, mark) and name in plain_ones:
                    mine, own = plain_ones[name]
                    kinds = " and ".join(f"@{decorator}({_name(kind)})" for kind in getattr(value, mark))
                    raise InputError(
                        f"{_whose(mine, name)} overrides a handler of {base.__qualname__} and is none itself: "
                        f"{kinds} is expected before it{place_of(own)}"
                    )
                if hasattr(value, mark):
                    marked[name] = None
            if name not in marked:
                plain_ones.setdefault(name, (base, function))


def stations_of(program: type[Peer], options: Any, peers: int) -> Sequence[Station]:
    """The infrastructure of a network. Raises InputError where `Peer.stations` fails, or returns something else."""
    whose, where = f"{program.__qualname__}.stations", Place(inspect.unwrap(program.stations.__func__))  # type: ignore[attr-defined]
    try:
        made = tuple(program.stations(options, peers))
    except Exception as error:
        raise InputError(_failed(whose, error)) from error
    for one in made:
        if not isinstance(one, Station) or not (isinstance(one.program, type) and issubclass(one.program, Peer)):
            raise InputError(f"{whose} should return Station(program, label, operator), not {plain(one, 40)}{where}")
    return made


def cast_of(program: type[Peer], options: Any, members: Sequence[Candidate], rng: Rng) -> object:
    """What `Peer.cast` returns. Raises InputError where it fails."""
    try:
        return program.cast(options, members, rng)
    except Exception as error:
        raise InputError(_failed(f"{program.__qualname__}.cast", error)) from error


def _failed(what: str, error: Exception) -> str:
    return f"{what} failed: {type(error).__name__}: {error}{place_in_protocol(error)}"


def _name(kind: object) -> str:
    return kind.__name__ if isinstance(kind, type) else plain(kind, 40)


def _handlers(program: type[Peer]) -> Iterator[tuple[str, FunctionType, Any]]:
    """Decorator, function and class of each handler of a class and its bases, without those of its components."""
    for base in _own_bases(program):
        for value in vars(base).values():
            for mark, decorator in MARKS.items() if hasattr(value, "__code__") else ():
                for kind in getattr(value, mark, ()):
                    yield decorator, inspect.unwrap(value), kind


def _check_handler(program: type[Peer], decorator: str, function: FunctionType, kind: Any) -> None:
    whose, where = f"@{decorator}({_name(kind)}) of {_whose(program, function.__name__)}", Place(function)
    if not isinstance(kind, type):
        raise InputError(f"{whose} should name a class{where}")
    is_message = issubclass(kind, Message)
    if decorator != "on" and not is_message:
        raise InputError(f"{whose} should name a message, which is a class with @message(){where}")
    takes = TAKES.get(decorator) or (MESSAGE if is_message else TICK)
    if not is_message and function.__code__.co_argcount == len(MESSAGE) and not function.__defaults__:
        raise InputError(
            f"{whose} takes a sender, so {kind.__name__} should be a message, with @message() before the class; the "
            f"handler of a tick takes (self, host, tick){place_of(kind) or where}"
        )
    _check_takes(program, function, takes)
    if inspect.isgeneratorfunction(function):
        raise InputError(f"{whose} has a yield, so it would not run: a plain method is expected{where}")
    at = len(takes) - 1 if decorator == "on" else ANSWER_AT
    code = function.__code__
    if decorator == "on" and function.__annotations__.get(code.co_varnames[at]) == kind.__name__:
        return
    hinted = _classes_in(annotation_of(function, at)) if decorator != "on_timeout" else ()
    if decorator == "on" and hinted and not any(issubclass(kind, one) or issubclass(one, kind) for one in hinted):
        names = " | ".join(one.__name__ for one in hinted)
        raise InputError(f"{whose} says that what it handles is a {names}: {kind.__name__} is expected{where}")
    if decorator == "on_reply" and hinted and not any(issubclass(one, Message) for one in hinted):
        names = " | ".join(one.__name__ for one in hinted)
        raise InputError(f"{whose} says that the answer is a {names}, and a message is expected{where}")


WORD = re.compile(r"[A-Za-z_]\w*")


def _known_names(kind: type[Any]) -> bool:
    """Whether the annotations of a class consist of names that its module knows. It takes a tenth of the time of
    resolving them, and returns False for some that can be resolved, such as those with a text inside."""
    known = vars(sys.modules[kind.__module__])
    return all(
        word in known or hasattr(builtins, word)
        for base in _own_bases(kind)
        if base.__module__ == kind.__module__
        for hint in get_annotations(base).values()
        for word in (WORD.findall(hint) if isinstance(hint, str) else ())
    )


def _classes_in(hint: Any) -> tuple[type[Any], ...]:
    """The classes that an annotation names; () if it does not consist of classes."""
    kinds = get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
    known = tuple(kind for kind in kinds if isinstance(kind, type) and kind not in (object, Any, NoneType))
    return known if len(known) == len([kind for kind in kinds if kind is not NoneType]) else ()


def _nearest_class(kind: type[Any], known: Iterable[type]) -> str:
    return nearest(kind.__name__, {one.__name__ for one in known if issubclass(one, Message)})


@cache
def _check_names_used(base: type) -> None:
    """A method or attribute that nothing uses does not have a misspelt name of `Peer`."""
    api = [name for name in vars(Peer) if not name.startswith("_")]
    for name, value in vars(base).items():
        if name.startswith("_") or name in api or name in get_annotations(base):
            continue
        # Similarity is slow to compute, so only names with the same first letter and a similar length are compared.
        alike = [one for one in api if one[0] == name[0] and abs(len(one) - len(name)) <= LETTERS_MOST]
        same = [one for one in alike if isinstance(vars(Peer)[one], FunctionType) == isinstance(value, FunctionType)]
        near = next(
            (found for some in (same, alike) if (found := nearest(name, some, listed=False, similarity=NEAR))), ""
        )
        if near and any(hasattr(value, mark) for mark in (*MARKS, "_verb")):
            continue
        if near and not _used(name, base):
            raise InputError(f"nothing calls or reads {_whose(base, name)}{near}{place_of(_function(value) or base)}")


def _function(value: object) -> FunctionType | None:
    found = getattr(value, "__func__", value)
    return found if isinstance(found, FunctionType) else None


def _used(name: str, base: type) -> bool:
    """Whether a name occurs more than once in the files of the network that a class belongs to."""
    package = ".".join(base.__module__.split(".")[:3])
    found = 0
    for module in [one for key, one in sys.modules.items() if key == package or key.startswith(f"{package}.")]:
        try:
            found += len(re.findall(rf"\b{name}\b", inspect.getsource(module)))
        except (OSError, TypeError):
            return True
    return found > 1


# --- components --------------------------------------------------------------------------------------------------


def _check_components(program: type[Peer]) -> None:
    """No two parts of a peer handle the same message, tick or value."""
    handled: dict[type, str] = {}
    for name, kind in program.components.items():
        _check_components(kind)
        for each in kind.handlers:
            if each in handled:
                raise InputError(
                    f'{program.__qualname__}: "{handled[each]}" and "{name}" both handle {each.__name__}'
                    f"{place_of(program)}"
                )
            handled[each] = name
    for base in program.__mro__:
        for value in vars(base).values():
            for each in getattr(value, "_handles", ()):
                if each in handled:
                    raise InputError(
                        f'{program.__qualname__} handles {each.__name__}, as its component "{handled[each]}" does'
                        f"{place_of(program)}"
                    )


# --- options -----------------------------------------------------------------------------------------------------


def _check_options(program: type[Peer]) -> None:
    options = getattr(program, "options_type", None)
    if options is not None:
        _check_options_class(options, program.name or program.__qualname__)


@cache
def _check_options_class(options: Any, network: str) -> None:
    whose, where = f"the options of {network}", Place(options)
    if not (isinstance(options, type) and is_dataclass(options)):
        raise InputError(f"{whose} should be a dataclass, and {_name(options)} is none{where}")
    try:
        allowed = allowed_of(options)
    except Exception as error:
        raise InputError(f"{whose}: an annotation cannot be read: {error}{where}") from None
    for each in fields(options):
        if each.default is MISSING and each.default_factory is MISSING:
            raise InputError(f"{whose}: {each.name} needs a default, as option(3, ...){where}")
        one, place = allowed.get(each.name), f"{whose}: {each.name}"
        if one is None or not each.metadata:
            continue
        kinds = (bool, int, float, str)
        if not one.choices and one.kind not in kinds:
            raise InputError(f"{place} should be a bool, int, float, str or Literal, not {_name(one.kind)}{where}")
        if one.low is not None and one.high is not None and one.low > one.high:
            raise InputError(f"{place} is at least {one.low:g} and at most {one.high:g}, which no value is{where}")
        if each.default is None or each.default is MISSING or (one.kind is str and each.default == ""):
            continue
        try:
            one.read(each.default, f"{place}: its default")
        except InputError as error:
            raise InputError(f"{error}{where}") from None


def _check_options_of_component(main: type[Peer], options: type[Any] | None, path: str, kind: type[Component]) -> None:
    wanted = getattr(kind, "options_type", None)
    if wanted is None:
        return
    for name in path.split("."):
        hints = get_type_hints(options) if is_dataclass(options) else {}
        options = hints.get(name)
    if not (isinstance(options, type) and issubclass(options, wanted)):
        raise InputError(
            f'the options of "{main.name or main.__qualname__}" need a field {path}: {wanted.__qualname__}, for the '
            f"component of that name"
        )


# --- verbs -------------------------------------------------------------------------------------------------------


def _check_verbs(program: type[Peer]) -> None:
    declared: dict[str, Field[Any]] = getattr(program, "__dataclass_fields__", {})
    for each in declared.values():
        pair = each.metadata.get("switch")
        if isinstance(pair, Switch) and pair.then and not callable(getattr(program, pair.then, None)):
            methods = [name for base in _own_bases(program) for name, _, _ in _methods(base)]
            raise InputError(
                f'{_whose(program, each.name)}: then="{plain(pair.then, 40)}" is no method of it'
                f"{nearest(pair.then, methods, listed=False)}{place_of(program)}"
            )
    for base in program.__mro__:
        known: dict[str, str] = {}
        verbs = {
            name: made for name, value in vars(base).items() if isinstance(made := getattr(value, "_verb", None), Verb)
        }
        for name, made in verbs.items():
            if known.setdefault(made.name, name) != name:
                raise InputError(
                    f'{base.__qualname__}: the verb "{made.name}" is defined twice, in .{known[made.name]} and '
                    f".{name}{_place_of_verb(base, inspect.unwrap(vars(base)[name]))}"
                )
        # `values_of` finds the last verb of a name, so verbs are checked only once all names are known to differ.
        for made in verbs.values():
            _check_verb(program, made)


def _place_of_verb(program: type[Peer], method: FunctionType) -> Place:
    """Where a verb is defined. The methods of a switch are in no file of the network, so its class is named."""
    return Place(program if method.__code__.co_filename == api.__file__ else method)


def _check_verb(program: type[Peer], made: Verb) -> None:
    method = inspect.unwrap(getattr(program, made.method))
    whose = f'{program.__qualname__}: verb "{made.name}"'
    where = _place_of_verb(program, method)
    if not isinstance(made.name, str) or not made.name.replace("-", "_").isidentifier():
        raise InputError(f"{whose} should be one word{where}")
    _check_verb_types(made, whose, where)
    own = {str(name) for name in verbs_of(program) if "." not in str(name)}
    if made.name in VERBS:
        raise InputError(f"{whose} is a command of the engine, so it needs another name{where}")
    if made.undo and made.undo not in own:
        near = nearest(made.undo, own)
        raise InputError(f'{whose} is undone by "{made.undo}", which is no verb of this class{near}{where}')
    if _parameters(method)[1:2] != ("host",):
        raise InputError(f"{whose} should take (self, host), and then its values{where}")
    if inspect.iscoroutinefunction(method) or inspect.isgeneratorfunction(method):
        raise InputError(f"{whose} should be a plain method, neither async nor with a yield{where}")
    parameters = list(inspect.signature(method).parameters.values())[2:]
    names = [each.name for each in parameters]
    for name, text in made.examples.items():
        if not isinstance(text, str):
            raise InputError(
                f'{whose}: the hint for "{plain(name, 40)}" should be a text, not {plain(text, 40)}{where}'
            )
        if name not in names:
            near = nearest(name, names)
            raise InputError(f'{whose} has an example for "{name}", which is no value of it{near}{where}')
    for name in made.checks:
        if name not in names:
            near = nearest(name, names)
            raise InputError(f'{whose} has a check for "{name}", which is no value of it{near}{where}')
    try:
        values = values_of(program, made.name)
    except Exception as error:
        raise InputError(f"{whose}: an annotation cannot be read: {error}{where}") from None
    for each in parameters:
        one, value = values[each.name].allowed, f'{whose}: "{each.name}"'
        if each.kind in (each.VAR_POSITIONAL, each.VAR_KEYWORD, each.POSITIONAL_ONLY):
            raise InputError(f"{value} should be an ordinary parameter, which has a name{where}")
        if not one.choices and one.kind not in (str, int, float, bool):
            raise InputError(f"{value} should be a str, int, float, bool or Literal{where}")
        if each.name in made.examples:
            hint = f"{value}: its hint"
            if not one.example:
                text = plain(made.examples[each.name], 40)
                raise InputError(f'{hint} should end in an example, as "e.g. 10", and it is "{text}"{where}')
            hint = f'{hint} has an example, what follows "e.g. ", which'
            try:
                typed = one.read(one.example, hint, texts=True)
            except InputError as error:
                raise InputError(f"{error}{where}") from None
            if each.name in made.checks:
                try:
                    made.checks[each.name](typed)
                except Exception as error:
                    said = str(error) if isinstance(error, ValueError) else f"{type(error).__name__}: {error}"
                    raise InputError(f"{hint} its check refuses: {plain(said)}{where}") from None
        if each.default not in (each.empty, None, ""):
            try:
                one.read(each.default, f"{value}: its default")
            except InputError as error:
                raise InputError(f"{error}{where}") from None


def _check_verb_types(made: Verb, whose: str, where: Place) -> None:
    for word in ("about", "undo"):
        if not isinstance(getattr(made, word), str):
            raise InputError(f"{whose}: {word} should be a text, not {plain(getattr(made, word), 40)}{where}")
    if made.why_not is not None and not callable(made.why_not):
        raise InputError(f"{whose}: why_not should be a function of the peer, not {plain(made.why_not, 40)}{where}")
    tables: dict[str, object] = {"values": made.examples, "checks": made.checks}
    for word, table in tables.items():
        if not isinstance(table, Mapping):
            raise InputError(
                f"{whose}: {word} should be a dict by the names of its values, not {plain(table, 40)}{where}"
            )
    checks: Mapping[str, object] = made.checks
    for name, check in checks.items():
        if not callable(check):
            given = plain(check, 40)
            raise InputError(f'{whose}: the check for "{plain(name, 40)}" should be a function, not {given}{where}')


def may_give_other_roles(programs: Iterable[type[Peer]], known: Collection[str]) -> bool:
    """Whether a peer of these programs may be given a role that is not among the known ones: the argument of some call
    of `Host.set_role` in their modules, or in those of their components, is another text, or is not known before the
    call."""
    classes = dict.fromkeys(part for kind in programs for part in (kind, *components_of(kind).values()))
    bases = (base for kind in classes for base in kind.__mro__ if issubclass(base, Peer))
    modules = dict.fromkeys(base.__module__ for base in bases if base not in (Peer, Component))
    for module in modules:
        try:
            tree = ast.parse(inspect.getsource(sys.modules[module]))
        except (KeyError, OSError, TypeError, SyntaxError):
            return True  # its source cannot be read
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "set_role":
                said = [*node.args, *(one.value for one in node.keywords)]
                if not all(_is_known_text(one, known) for one in said):
                    return True
    return False


def _is_known_text(node: ast.expr, known: Collection[str]) -> bool:
    """Whether an argument of `set_role` is one of these texts, a choice among them, or the `role` of a program."""
    if isinstance(node, ast.IfExp):
        return _is_known_text(node.body, known) and _is_known_text(node.orelse, known)
    if isinstance(node, ast.Attribute):
        return node.attr == "role"
    return isinstance(node, ast.Constant) and node.value in known


# --- the source --------------------------------------------------------------------------------------------------

US_LEAST = 1_000
"""A number in the source that is given as microseconds and is smaller than this was meant in seconds, or in
milliseconds."""
DELAY, PERIOD, WAIT = "the delay", "the period", "the time"
TIMES = {"after": ("delay_us", DELAY), "every": ("period_us", PERIOD), "call": ("timeout_us", WAIT)}
"""Calls of a host with a time in microseconds: the keyword of the time, and what it is. For `call` it can only be given
by its keyword."""
SECONDS = {"after_s": ("delay_s", DELAY), "every_s": ("period_s", PERIOD), "call": ("timeout_s", WAIT)}
UNITS = ("_s", "_ms")
RATES = ("per_s", "bit_s", "b_s")
"""Ends of names that are rates (per second) and no times."""
DRAWS = ("random", "uniform", "expovariate", "choice", "randrange")
SAME_UNIT = ("int", "round", "float", "max", "min", "abs")


def check_source(classes: Sequence[type[Peer]]) -> None:
    """Raise InputError for errors that only the source shows: an attribute that hosts do not have; seconds where
    microseconds are expected, and the reverse; and an answer to a call that is sent by `send`, so that nobody gets it.
    classes: all programs of a network, components included."""
    handled = {kind for program in classes for kind in program.handlers}
    functions = {function for one in classes for mark, function, _ in _handlers(one) if mark == "on_reply"}
    kinds = {kind for function in functions for kind in _classes_in(annotation_of(function, ANSWER_AT))}
    answers = {kind.__name__ for kind in kinds if issubclass(kind, Message) and kind not in handled}
    for module in _modules_of(classes):
        try:
            tree = ast.parse(inspect.getsource(module))
        except (OSError, TypeError, SyntaxError):
            continue
        known = vars(module)
        for function in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)):
            made = _assigned(function)
            _check_names_of_host(function, module)
            for node in ast.walk(function):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and _is_host(node.func.value):
                    place = f" ({(module.__file__ or '').rpartition('/')[2]}:{node.lineno})"
                    _check_times(node, node.func.attr, known, place)
                    _check_sent(node, node.func.attr, made, answers, place)


HOST_NAMES = frozenset(name for name in dir(Host) if not name.startswith("_"))


def _check_names_of_host(function: ast.FunctionDef, module: ModuleType) -> None:
    """The attributes that a function reads of its parameter `host` are attributes of hosts. A parameter is taken for a
    host only if it is annotated as `Host`, or if it is the first one of a method and has no annotation."""
    arguments = (*function.args.posonlyargs, *function.args.args)
    places = [at for at, one in enumerate(arguments) if one.arg == "host"]
    if not places or "host" in _names_stored(function):
        return
    hint = arguments[places[0]].annotation
    said = hint.value if isinstance(hint, ast.Constant) else ast.unparse(hint) if hint is not None else ""
    bare = hint is None and places[0] == 1 and arguments[0].arg == "self"
    if (said != "Host" or vars(module).get("Host") is not Host) and not bare:
        return
    for node in _inside(function):
        if not isinstance(node, ast.Attribute) or not isinstance(node.ctx, ast.Load):
            continue
        own = node.attr in HOST_NAMES or node.attr.startswith("_")
        if not own and isinstance(node.value, ast.Name) and node.value.id == "host":
            place = f" ({(module.__file__ or '').rpartition('/')[2]}:{node.lineno})"
            near = nearest(node.attr, HOST_NAMES, listed=False)
            raise InputError(f"host.{node.attr}: a host has no {node.attr}{near}{place}")


def _names_stored(function: ast.FunctionDef) -> set[str]:
    """Names that are given a value in a function, or are tested by `hasattr`: their attributes are not known."""
    stored = {one.id for one in ast.walk(function) if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)}
    calls = (
        one for one in ast.walk(function) if isinstance(one, ast.Call) and getattr(one.func, "id", "") == "hasattr"
    )
    return stored | {getattr(one.args[0], "id", "") for one in calls if one.args}


def _inside(function: ast.FunctionDef) -> Iterator[ast.AST]:
    """The nodes of a function, without functions in it that have a parameter `host` of their own."""
    waiting: list[ast.AST] = list(function.body)
    while waiting:
        node = waiting.pop(0)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            own = node.args
            if any(one.arg == "host" for one in (*own.posonlyargs, *own.args, *own.kwonlyargs)):
                continue
        yield node
        waiting += ast.iter_child_nodes(node)


def _modules_of(classes: Iterable[type[Peer]]) -> list[ModuleType]:
    """The modules of a network: those of its classes and their bases, and the others of their folder."""
    bases = (base for one in classes for base in _own_bases(one) if base.__module__ != f"{__package__}.kit")
    packages = tuple(dict.fromkeys(".".join(base.__module__.split(".")[:3]) for base in bases))
    return [
        one
        for key, one in list(sys.modules.items())
        if any(key == package or key.startswith(f"{package}.") for package in packages)
    ]


def _is_host(node: ast.expr) -> bool:
    return (node.id if isinstance(node, ast.Name) else getattr(node, "attr", "")).endswith("host")


def _assigned(function: ast.FunctionDef) -> dict[str, ast.expr]:
    """The variables of a function that are given a value exactly once, with that value."""
    found: dict[str, list[ast.expr]] = {}
    for node in ast.walk(function):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Name):
                    found.setdefault(target.id, []).append(node.value)
    return {name: values[0] for name, values in found.items() if len(values) == 1}


def _check_times(node: ast.Call, name: str, known: Mapping[str, object], place: str) -> None:
    for table, wrong in ((TIMES, _in_seconds), (SECONDS, _in_us)):
        if name not in table:
            continue
        keyword, what = table[name]
        given = [one.value for one in node.keywords if one.arg == keyword]
        given += node.args[:1] if name != "call" else []
        for time in given:
            if wrong(time, known):
                said = plain(ast.unparse(time), 40)
                call = f"call({keyword}={said})" if name == "call" else f"{name}({said}, ...)"
                unit, other = ("microseconds", "seconds") if table is TIMES else ("seconds", "microseconds")
                better = {"call": "timeout_s=", "after": "host.after_s", "every": "host.every_s"}
                better |= {"after_s": "host.after", "every_s": "host.every"}
                takes = "timeout_us=" if name == "call" and table is SECONDS else better[name]
                raise InputError(f"host.{call}: {what} is in {unit}; {takes} takes {other}{place}")


def _in_us(node: ast.expr, known: Mapping[str, object]) -> bool:
    """Whether a value that is given as seconds is microseconds, by its name."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in SAME_UNIT:
        return any(_in_us(one, known) for one in node.args)
    return _word(node).endswith("_us")


def _in_seconds(node: ast.expr, known: Mapping[str, object]) -> bool:
    """Whether a value that is given as microseconds is seconds or milliseconds: by its name, or because it is a number
    that is far too small. Where this is not certain, it is taken for microseconds."""
    if isinstance(node, ast.Constant):
        return _is_small(node.value)
    if isinstance(node, (ast.Name, ast.Attribute)):
        word = _word(node)
        if word.endswith(UNITS):
            return not word.endswith(RATES)
        return not word.endswith("_us") and isinstance(node, ast.Name) and _is_small(known.get(node.id))
    if isinstance(node, (ast.Tuple, ast.List)):
        return any(_in_seconds(one, known) for one in node.elts)
    if isinstance(node, ast.IfExp):
        return _any_named((node.body, node.orelse), known)
    if isinstance(node, ast.Call):
        if isinstance(node.func, ast.Name) and node.func.id in SAME_UNIT:
            return _any_named(node.args, known)
        drawn = isinstance(node.func, ast.Attribute) and node.func.attr in ("uniform", "randrange")
        return drawn and bool(node.args) and all(_in_seconds(one, known) for one in node.args)
    if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Add, ast.Sub)):
        return _in_seconds(node.left, known) and _in_seconds(node.right, known)
    if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Mult, ast.Div)):
        sides = (node.left, node.right)
        return any(_in_seconds(one, known) for one in sides) and all(
            _in_seconds(one, known) or _is_factor(one) for one in sides
        )
    return False


def _any_named(nodes: Sequence[ast.expr], known: Mapping[str, object]) -> bool:
    """Whether any of these is seconds. Numbers are looked at only where there is nothing else: `max(1, wait_us)` is
    microseconds."""
    named = [one for one in nodes if not isinstance(one, ast.Constant)]
    return any(_in_seconds(one, known) for one in named or nodes)


def _is_factor(node: ast.expr) -> bool:
    """Whether this is a factor that changes no unit: a small number, or a random draw."""
    if isinstance(node, ast.Call):
        return isinstance(node.func, ast.Attribute) and node.func.attr in DRAWS
    return isinstance(node, ast.Constant) and (node.value == 0 or _is_small(node.value))


def _is_small(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value < US_LEAST


def _word(node: ast.expr) -> str:
    """The last name of an expression, in small letters; "" for an expression that is no name."""
    return (node.id if isinstance(node, ast.Name) else getattr(node, "attr", "")).lower()


def _check_sent(node: ast.Call, name: str, made: Mapping[str, ast.expr], answers: Collection[str], place: str) -> None:
    if name not in ("send", "multicast") or len(node.args) < 2:
        return
    sent = node.args[1]
    if isinstance(sent, ast.Name):
        sent = made.get(sent.id, sent)
    kind = _name_of_call(sent)
    if kind in answers:
        whose, better = f"host.{name} sends a {kind}", f"host.reply({kind}(...))"
        raise InputError(f"{whose}, which answers a call: by itself nobody gets it; {better} is expected{place}")


def _name_of_call(node: ast.expr) -> str:
    return node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else ""
