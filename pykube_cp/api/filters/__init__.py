"""Steps that every request passes, in the order of ``pipeline.FILTERS``; local ones fewer.

A filter is ``build(services, following) -> handler``: it gets what the server offers and the handler
behind it, and returns a handler.
"""
