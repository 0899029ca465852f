"""``scripts/build-server-image``: a model server's image with another Python, from a checkout of its source."""
