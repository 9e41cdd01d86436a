"""Training: data, optimizer, schedule, checkpoints, evaluation, the loop.

``recipe``, ``schedule`` and ``settings`` work without torch; import the modules themselves.
"""
