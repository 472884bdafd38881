"""Drawing as pure functions on arrays: positions in, cells out. Nothing here imports a widget or a running swarm.

A picture is made of dots (`raster`) from positions in the unit square (`layout`), and returned as rows of (text, ink)
runs. An ink is a small number that stands for a role, such as "dead" or "query"; themes give it a colour when the
widget turns runs into segments, so a change of theme redraws nothing here.
"""
