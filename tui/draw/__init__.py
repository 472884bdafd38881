"""Drawing as pure functions on arrays: positions in, cells out. Nothing here knows a widget or a swarm.

A picture is made in dots (`raster`), of things placed in the unit square (`placement`), and leaves as rows of
(text, ink) runs. An ink is a small number that stands for a role, such as "dead" or "query"; themes give it a colour
when the widget turns runs into segments, so changing the theme redraws nothing here.
"""
