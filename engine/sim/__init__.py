"""Virtual time, links, interference and random streams. Knows no protocol and no screen."""
