"""Generated tables of the built-in types; rebuilt by 'make generate'."""
