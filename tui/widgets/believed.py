"""The picture of the swarm as the selected peer believes it to be, for `SwarmView`."""

from __future__ import annotations

from tui.draw import belief
from tui.draw.glyphs import Mode
from tui.draw.raster import Canvas
from tui.draw.scene import Scene, grounds
from tui.session.frame import Frame


def believed(frame: Frame, scene: Scene, glyphs: Mode, width: int, height: int, legend: bool) -> Canvas:
    """A canvas of its own: what is under way and whom others are linked to, the peer does not know."""
    assert frame.facts is not None
    canvas = Canvas(width, height, glyphs)
    grounds(canvas, scene)
    laid = belief.mind(frame.snapshot, frame.facts.peer, frame.facts.beliefs)
    belief.draw(canvas, frame.snapshot, laid, scene.x, scene.y, frame.facts.links, names=scene.names)
    if legend:
        belief.legend(canvas)
    return canvas


def believed_title(frame: Frame) -> str:
    """The headline of that picture, or empty when the truth is shown."""
    facts = frame.facts
    if not frame.believing or facts is None or facts.peer != frame.selected:
        return ""
    laid = belief.mind(frame.snapshot, facts.peer, facts.beliefs)
    return belief.headline(laid, frame.snapshot.fixed.labels[facts.peer])
