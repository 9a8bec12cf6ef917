"""The pure core: no input or output, no event loop, no state outside its objects."""
