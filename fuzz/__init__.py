"""Manifests that nobody would write, given to ksconfig's file core: it may refuse them, and nothing worse.

`seeds` are where an input begins, `mutations` spoil it, `actions` is what a user then does, chosen by the bytes of the
input alone so that a saved input is all that a replay needs. `trial` does it within `bounds`, and `judge`, which shares
no code with ksconfig, says of each write whether it is right. `findings` keeps what was wrong, `report` counts.
"""
