"""Registries of container images: what a reference names there. Needs the extra ``ksconfig[registry]``."""
