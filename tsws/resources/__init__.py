"""One file a kind of resource: what it depends on and how it is made. ``expand`` turns a manifest into a graph."""
