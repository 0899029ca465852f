"""Proof under faults: real commands through a proxy that spoils what passes, judged by the truth behind it.

``scripts/chaos`` is the way in. The parts that plan, spoil and judge share no code with ksconfig.
"""
