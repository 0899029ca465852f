"""A real Kubernetes control plane and the real KServe, made of Go modules, in namespaces of their own.

Not a part of the ksconfig package: its test bed and its playground. ``scripts/sandbox`` is the command line,
:class:`sandbox.handle.Sandbox` the same for tests.
"""
