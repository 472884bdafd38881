"""Where peers stand, and how one moves among them."""

from __future__ import annotations

import networkx
import numpy as np
import pytest

from tui.draw import coastline, layout, raster
from tui.draw.layout import Box, View


def graph(n: int, links: int, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    a, b = rng.integers(0, n, (2, links))
    return a[a != b], b[a != b]


def inside(at: np.ndarray) -> bool:
    return at.dtype == np.float32 and at.min(initial=0) >= -1e-6 and at.max(initial=0) <= 1 + 1e-6


def test_cities_are_placed_as_on_a_map() -> None:
    lisbon, sydney, sitka = layout.project([38.7, -33.9, 57.0], [-9.1, 151.2, -135.3])
    assert sitka[0] < lisbon[0] < sydney[0]
    assert sitka[1] < lisbon[1] < sydney[1]
    assert layout.project([72, -56], [-180, 180]).tolist() == [[0, 0], [1, 1]]


def test_peers_of_a_city_gather_around_it_without_hiding_each_other() -> None:
    place = np.array([0, 1, 0, 0, 1])
    at = layout.world([38.7, 59.3], [-9.1, 18.1], place)
    homes = layout.project([38.7, 59.3], [-9.1, 18.1])
    assert inside(at)
    assert np.allclose(at[[0, 1]], homes), "the first of each stands on its city"
    assert len({tuple(row) for row in at.tolist()}) == 5
    assert np.abs(at - homes[place]).max() < 0.03


def test_a_newcomer_moves_nobody_and_many_peers_stay_in_their_city() -> None:
    before = layout.world([10.0], [10.0], np.zeros(8, int))
    after = layout.world([10.0], [10.0], np.zeros(9, int))
    assert (before == after[:8]).all()
    crowd = layout.world([10.0], [10.0], np.zeros(5_000, int))
    assert np.ptp(crowd[:, 0]) <= 2 * layout.SPIRAL_MOST + 1e-6


def test_places_depend_on_the_id_and_not_on_the_row() -> None:
    ids = np.array([5, 3, 4])
    at = layout.world([10.0], [10.0], np.zeros(3, int), ids)
    assert (at[np.argsort(ids)] == layout.world([10.0], [10.0], np.zeros(3, int))).all()


def test_a_peer_without_a_city_is_shown() -> None:
    assert inside(layout.world([10.0], [10.0], [-1, 0, 7]))
    assert inside(layout.world([], [], [-1]))


def test_a_ring_starts_at_the_top_and_goes_clockwise() -> None:
    assert np.allclose(layout.ring(4), [[0.5, 0], [1, 0.5], [0.5, 1], [0, 0.5]], atol=1e-6)
    assert layout.ring(0).shape == (0, 2)


@pytest.mark.parametrize("seed", range(5))
def test_distances_agree_with_an_oracle(seed: int) -> None:
    a, b = graph(120, 150, seed)
    oracle = networkx.Graph(zip(a.tolist(), b.tolist(), strict=True))
    oracle.add_nodes_from(range(120))
    known = networkx.single_source_shortest_path_length(oracle, 3)
    assert layout.distances(120, a, b, 3).tolist() == [known.get(i, -1) for i in range(120)]


def test_distances_from_nobody_and_without_links() -> None:
    assert layout.distances(3, [], [], 1).tolist() == [-1, 0, -1]
    assert layout.distances(3, [0], [1], 9).tolist() == [-1, -1, -1]
    assert layout.distances(0, [], [], 0).size == 0


def test_peers_stand_further_out_by_their_hops_and_the_lost_outermost() -> None:
    # A tree of three levels, and one peer on its own.
    a, b = [0, 0, 1, 1, 2, 2], [1, 2, 3, 4, 5, 6]
    at = layout.hops(8, a, b, 0)
    out = 2 * np.hypot(*(at - 0.5).T)
    assert np.allclose(out, [0, 1 / 3, 1 / 3, 2 / 3, 2 / 3, 2 / 3, 2 / 3, 1], atol=1e-6)
    radii = layout.ring_radii(layout.distances(8, a, b, 0))
    assert np.allclose(radii, [0, 1 / 6, 2 / 6], atol=1e-6)


def test_children_are_placed_near_their_parents() -> None:
    a, b = [0, 0, 1, 1, 2, 2], [1, 2, 3, 4, 5, 6]
    at = layout.hops(7, a, b, 0)
    for mine, other in ((1, 2), (2, 1)):
        for child in np.array(b)[np.array(a) == mine]:
            assert np.hypot(*(at[child] - at[mine])) < np.hypot(*(at[child] - at[other]))


def test_rings_of_many_stay_inside_and_apart() -> None:
    n = 3_000
    a, b = graph(n, 9_000)
    hop = layout.distances(n, a, b, 0)
    at = layout.hops(n, a, b, 0)
    assert inside(at)
    out = np.hypot(*(at - 0.5).T)
    for near in range(int(hop.max())):
        assert out[hop == near].max() < out[hop == near + 1].min()
    assert (at == layout.hops(n, a, b, 0)).all(), "the same every time"


def test_rings_of_an_ask_follow_its_tree() -> None:
    hop, frm = [0, 1, 1, 2, 2, -1], [-1, 0, 0, 1, 2, -1]
    at = layout.hop_rings(6, hop, frm)
    out = 2 * np.hypot(*(at - 0.5).T)
    assert np.allclose(out, [0, 1 / 3, 1 / 3, 2 / 3, 2 / 3, 1], atol=1e-6)
    assert np.hypot(*(at[3] - at[1])) < np.hypot(*(at[3] - at[2]))
    assert inside(layout.hop_rings(6, hop))
    assert layout.hop_rings(0, []).shape == (0, 2)
    assert inside(layout.hop_rings(3, [-1, -1, -1]))


def test_a_picture_fills_its_box_or_keeps_its_shape() -> None:
    corners = np.array([[0, 0], [1, 1]], np.float32)
    x, y = layout.fit(corners, 100, 50, margin=2)
    assert x.tolist() == [2, 97]
    assert y.tolist() == [2, 47]
    x, y = layout.fit(corners, 100, 51, shape=1)
    assert x[1] - x[0] == y[1] - y[0] == 50
    x, y = layout.fit(corners, 100, 51, dot_aspect=2, shape=1)
    assert x[1] - x[0] == pytest.approx(2 * (y[1] - y[0]))
    layout.fit(corners, 0, 0)


def test_dots_and_the_unit_square_are_inverse() -> None:
    box, view = Box(320, 180, margin=4, shape=1.5), View(0.4, 0.6, 3.0)
    x, y = view.to_dots(np.array([[0.3, 0.7]], np.float32), box)
    assert view.to_unit(x[0], y[0], box) == pytest.approx((0.3, 0.7))


def test_zooming_keeps_what_is_under_the_mouse() -> None:
    box, point = Box(320, 180), np.array([[0.55, 0.45]], np.float32)
    view = View()
    before = view.to_dots(point, box)
    near = view.zoomed_at(0.55, 0.45, 4.0)
    assert np.allclose(before, near.to_dots(point, box), atol=1e-3)
    assert near.zoom == 4.0
    assert near.zoomed_at(0.55, 0.45, 1 / 100) == View()
    assert near.zoomed_at(0.5, 0.5, 1e9).zoom == 32.0


def test_panning_stops_at_the_edge() -> None:
    assert View().panned(0.5, 0.5) == View(), "all is in view already"
    near = View(zoom=2.0)
    assert near.panned(0.25, 0.0) == View(0.625, 0.5, 2.0)
    assert near.panned(9, -9) == View(0.75, 0.25, 2.0)


def test_blending_starts_slowly_and_arrives() -> None:
    old, new = np.zeros((2, 2), np.float32), np.ones((3, 2), np.float32)
    assert (layout.blend(old, new, 0.0)[:2] == 0).all()
    assert layout.blend(old, new, 0.1)[0, 0] < 0.1
    assert layout.blend(old, new, 0.5)[0, 0] == 0.5
    assert (layout.blend(old, new, 0.5)[2] == 1).all(), "a newcomer has arrived"
    assert layout.blend(old, new, 1.0) is new


def test_arrow_keys_go_where_they_point() -> None:
    #        0: middle, 1: right, 2: far right but straight, 3: above, 4: below to the left
    cells = np.array([[10, 10], [14, 11], [30, 10], [10, 4], [6, 18]])
    assert layout.nearest(cells, 0, "right") == 1
    assert layout.nearest(cells, 0, "up") == 3
    assert layout.nearest(cells, 0, "down") == 4
    assert layout.nearest(cells, 0, "left") == 4, "nobody straight left, so the one that lies that way"
    assert layout.nearest(cells, 2, "right") is None
    assert layout.nearest(cells, 0, "right", np.array([True, False, True, True, True])) == 2
    assert layout.nearest(cells, 99, "up") is None


def test_the_map_agrees_with_known_places() -> None:
    """Towns that lie by the sea are near the drawn coast, and the middles of continents and oceans are not."""
    starts, ends = coastline.coast()
    share = np.linspace(0, 1, 9)[:, None, None]
    coast = (starts + (ends - starts) * share).reshape(-1, 2)

    def far(lat: float, lon: float) -> float:
        return float(np.hypot(coast[:, 0] - lat, coast[:, 1] - lon).min())

    ports = {"Lisbon": (38.7, -9.1), "Lagos": (6.5, 3.4), "Cape Town": (-33.9, 18.4), "Mumbai": (19.1, 72.9)}
    ports |= {"Sydney": (-33.9, 151.2), "Rio": (-22.9, -43.2), "New York": (40.7, -74), "Tokyo": (35.7, 139.7)}
    ports |= {"Lima": (-12, -77), "Vancouver": (49.3, -123.1), "Singapore": (1.4, 103.8), "Dublin": (53.3, -6.3)}
    ports |= {"Naples": (40.9, 14.3), "Stockholm": (59.3, 18.1), "Shanghai": (31.2, 121.5), "Auckland": (-36.8, 174.8)}
    assert {name: round(far(*at), 1) for name, at in ports.items() if far(*at) > 2.0} == {}
    inland = {"Chad": (15, 19), "Kansas": (38, -98), "Brasilia": (-15, -54), "Alice": (-24, 134), "Omsk": (55, 73)}
    inland |= {"Pacific": (0, -140), "Atlantic": (30, -40), "Indian": (-20, 80)}
    assert {name: round(far(*at), 1) for name, at in inland.items() if far(*at) < 6.0} == {}


def test_the_world_fits_its_picture() -> None:
    canvas = raster.Canvas(100, 30)
    starts, ends = coastline.coast()
    x0, y0 = layout.fit(layout.project(*starts.T), canvas.dots_w, canvas.dots_h)
    x1, y1 = layout.fit(layout.project(*ends.T), canvas.dots_w, canvas.dots_h)
    raster.lines(canvas, x0, y0, x1, y1, 1)
    assert 0.05 < canvas.dots.mean() < 0.2


def test_the_mark_of_a_key_stands_inside_the_circle_where_its_identifier_would() -> None:
    ident = np.array([0.1, 0.35, 0.8])
    peers = layout.identifiers(ident) - 0.5
    for place, peer in zip(ident, peers, strict=True):
        (mark,) = layout.key_on_circle(float(place)) - 0.5
        assert np.allclose(mark / np.hypot(*mark), peer / np.hypot(*peer), atol=1e-5), "in the same direction"
        assert np.hypot(*mark) < np.hypot(*peer)
