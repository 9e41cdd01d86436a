"""The engine: resources, their records, the difference between wanted and real, and making it go away.

Knows nothing about language models: a :class:`~tsws.reconcile.resource.Rule` knows how a thing is made.
Read in this order: ``resource``, ``record``, ``action``, ``facts``, ``decide``, ``compare``, ``observe``, ``make``, ``apply``.
"""
