"""Names for things that do not exist: "blue train", "night owl", "tin soldier".

Two lists without a word in common, so that a title is told by its words whatever their order. The first
three titles are the same in every swarm: they are the ones that examples ask for.

The lists are texts, split on loading: four hundred quoted words would fill pages, hence the two exceptions
for the linter.
"""

from __future__ import annotations

from ..sim.rng import Stream

HOUSE = ("blue train", "night owl", "tin soldier")

FIRST = tuple(
    """amber ancient autumn bitter black blue bold brass bright broken bronze brown burning calm candid careful
    clear clever clumsy coal cold copper coral crimson crooked crystal curious damp daring dark deep distant double
    dusty early eager easy eastern electric emerald empty endless evening faded faithful false famous far fast
    feather final first foggy foreign forgotten fragile free frozen gentle giant gilded glass gloomy golden grand
    green grey half happy hasty hazel heavy hidden high hollow honest humble hungry icy idle indigo inner iron ivory
    jade jolly kind late lazy lead light little lively lonely long lost loud loyal lucky lunar magic marble mellow
    merry midnight mild misty modest morning narrow nervous new night nimble noble northern odd old olive open
    orange outer pale paper patient peaceful pearl plain polite proud purple quick quiet rapid rare red restless
    rough round royal ruby rusty sable salty sandy scarlet second secret serene shallow sharp shiny short shy silent
    silver simple sleepy slow small smooth soft solar solemn southern spare square stale steady steep sticky still
    stone stormy strange strong stubborn sudden sunny sweet swift tall tame tender thin thirsty tidy timid tin tiny
    tired true twin upper vague velvet violet warm weary western white wide wild windy winter wise wooden yellow
    young""".split()  # noqa: SIM905
)

SECOND = tuple(
    """acrobat anchor apple arrow atlas baker ballad bandit barge beacon bear beetle bell bicycle bird blossom boat
    bottle bridge brook bucket button cabin camel candle canyon captain carnival castle cat cathedral cellar chapel
    cherry chimney circus clock cloud coast comet compass corner cousin cricket crow crown dancer daughter delta
    desert diary dog dolphin donkey door dove dragon drum eagle echo elephant engine falcon farmer ferry fiddle field
    fire fisherman flame flute forest fountain fox garden gate ghost glacier goat guitar hammer harbour harvest hat
    hawk heron hill horizon horse hotel hunter island jacket journey juggler kettle key king kite kitchen ladder lake
    lamp lantern lark lemon letter library lighthouse lion lizard machine magpie map market meadow melody mill miner
    mirror monkey moon moth mountain museum needle nephew oak ocean orchard orchestra otter owl oyster painter palace
    parade parrot path peach pebble pepper piano pigeon pilot planet pocket poet pond postman prairie queen rabbit
    radio railway rain raven reef ribbon river road robin rocket roof rose sailor saxophone scholar sea shadow ship
    shoe sister sky snail soldier song sparrow spider spring stable staircase star station stranger stream street
    student summer sun swallow swan table tailor teacher temple theatre thief thunder tiger tower traffic train
    traveller tree trumpet tunnel turtle umbrella uncle valley village violin voyage wagon waltz watchman water wave
    whale wheel whistle widow willow wind window wolf woodpecker writer""".split()  # noqa: SIM905
)

COUNT_MAX = len(FIRST) * len(SECOND)
"""As many titles of two words there are."""


def draw_titles(count: int, rng: Stream) -> list[str]:
    """So many distinct titles, lower case, two words each; those of `HOUSE` open the list."""
    titles = dict.fromkeys(HOUSE[:count])
    for at in rng.sample(range(COUNT_MAX), min(COUNT_MAX, count + len(HOUSE))):
        if len(titles) == count:
            break
        titles[f"{FIRST[at // len(SECOND)]} {SECOND[at % len(SECOND)]}"] = None
    return list(titles)
