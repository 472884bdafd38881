"""Charts of what a network shows of its peers."""

from __future__ import annotations

from dataclasses import replace

import frames
import pytest
from stage import Stage, painted
from wards import Patient

from engine import AskFor, Series, Setup, Swarm
from tui.draw.colours import by_column
from tui.draw.styles import INK, TABLE
from tui.session.frame import Frame
from tui.widgets.charts import Chart, Charts, shown_in

SECOND = 1_000_000


def ward() -> Swarm:
    swarm = Swarm(Setup(protocol="ward", peers=24, topology="ring", asks_per_s=0.0, seed=3), Patient)
    swarm.follow(("epidemic", "cured", "role"))
    swarm.do(AskFor(3, "a cough"))
    swarm.advance(6 * SECOND)
    return swarm


def seen(swarm: Swarm, *shown: str) -> Frame:
    return frames.frame(snap=swarm.snapshot(shown))


@pytest.mark.anyio
async def test_a_category_is_one_entry_and_its_values_are_areas_in_the_colours_of_the_picture() -> None:
    swarm, charts = ward(), Charts()
    async with Stage(charts).run_test(size=(240, 12)) as pilot:
        charts.show(seen(swarm))
        chart = charts.query_one("#chart-alive", Chart)
        lines = {line.id: line for line in chart.menu_lines()}
        assert not [id_ for id_ in lines if id_.startswith(("epidemic.", "role."))]
        assert [lines[name].says for name in ("cured", "epidemic", "coughs", "role")] == [
            "cured, %",
            "epidemic, peers",
            "coughs",
            "role, peers",
        ]
        assert lines["cured"].tip.startswith("How far it has come. The mean of the living users, in %")
        chart.toggle("epidemic")
        assert chart.names == ["epidemic"]  # it is the only series of the chart
        assert charts.followed == {"epidemic"}
        await pilot.pause()
        counts = swarm.snapshot(("epidemic",)).shown["epidemic"]
        title = str(chart.border_title)
        for name, count in zip(counts.names, counts.counts, strict=True):
            assert not name or f"{name} {count}" in title
        assert sum(counts.counts) == 24
        # Each value has the colour that it has in the picture.
        looks = {look.name: look for look in by_column(swarm.snapshot(), counts).looks}
        for part in chart.parts():
            ink = next(kind for name, kind in TABLE.items() if INK[name] == looks[part.name].ink)
            assert part.ink.split()[0] == ink.role
        told = chart.values_at(chart.size.width - 7)
        assert told.startswith("00:06  susceptible ")
        chart.toggle("cured")
        assert chart.names == ["cured"]
        await pilot.pause()
        mean = float(swarm.series().columns["cured"][-1])
        assert f"cured {mean:.0%}" in str(chart.border_title)
        assert any(row.strip() for row in painted(chart))


@pytest.mark.anyio
async def test_roles_that_users_change_to_are_areas_and_another_network_forgets_them() -> None:
    swarm, charts = ward(), Charts()
    async with Stage(charts).run_test(size=(240, 12)) as pilot:
        frame = seen(swarm)
        charts.show(frame)
        # The nurse is infrastructure, and no user.
        assert shown_in(frame.snapshot)["role"].values == ("patient", "survivor")
        chart = charts.query_one("#chart-bytes", Chart)
        chart.toggle("role")
        await pilot.pause()
        parts = {part.name: float(part.values[-1]) for part in chart.parts()}
        assert set(parts) == {"patient", "survivor"}
        assert sum(parts.values()) == 24
        charts.show(frames.frame())
        assert chart.names == ["bytes_per_s"]
        assert not charts.followed


@pytest.mark.anyio
async def test_negative_values_have_a_scale_of_their_own_and_rare_values_are_summed_as_others() -> None:
    swarm, charts = ward(), Charts()
    async with Stage(charts).run_test(size=(160, 12)) as pilot:
        snap = swarm.snapshot()
        values = {f"epidemic.{name}": snap.series.t_s * 0 + 1 for name in "abcdefgh"}
        columns = {**snap.series.columns, **values, "cured": snap.series.t_s * 0 + 0.5, "coughs": -snap.series.t_s}
        charts.show(frames.frame(snap=replace(snap, series=Series(snap.series.t_s, columns))))
        chart = charts.query_one("#chart-alive", Chart)
        chart.names = ["coughs", "alive"]
        assert chart.range_of("coughs") == (-10.0, 0.0)
        assert chart.range_of("alive") == (0.0, float(len(snap.state)))
        chart.names = ["epidemic"]
        await pilot.pause()
        parts = {part.name: float(part.values[-1]) for part in chart.parts()}
        assert list(parts)[:3] == ["susceptible", "infected", "removed"]
        assert parts["other"] == 5.0  # eight more values, three of them with a colour
