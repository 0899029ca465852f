"""Proof of ksconfig's model of KServe against the real controller: what it foretells, and what a sandbox then does.

Three parts that meet in files only: `generator` and `manifests` make cases, `predict` writes what the model says of
them, and `submit`, a process of its own that never sees those predictions, gives the cases to the real KServe and
writes down what came of them. `compare` and `report` lay the two side by side.
"""
