"""Tor

Not finished: parts that stand alone so far.
"""
