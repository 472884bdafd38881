"""The networks, one file or folder each. `registry` finds them in this folder; there is no list of them.

Message classes have the names of their specification, so two networks may each have a `Ping`; and two networks may each
have a class of the same name for the same thing, such as a `Connection`.
"""
