"""OpenAPI documents of the served API: version 2 whole, version 3 by group and version.

``operations`` and ``fixed`` say which routes there are, ``definitions`` what types look like; ``v2``
and ``v3`` write both down, the same parts in ``writer``; ``proto`` turns the result into protobuf,
``documents`` keeps what was made and ``handler`` serves it. Nothing is made before someone asks.
"""
