"""One page per verb: decode, admit, store, answer."""
