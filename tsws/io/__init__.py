"""Files, processes and the clock of the disk: atomic writes, locks, digests, archives, processes."""
