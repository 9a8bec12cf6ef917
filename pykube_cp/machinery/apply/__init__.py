"""Who manages which field: managedFields, server-side apply, and the algebra under them.

fields    sets of fields as a trie, in the very form that managedFields stores
shapes    what a type means for merging: which maps and lists are one value, which are walked
validate  whether a value fits its shape
compare   what was added, modified and removed between two values
merge     one value laid over another
remove    a value without some fields
reconcile sets of fields after a list or map became one value
updater   updates and applications over sets of several managers
managed   managedFields to sets and back
manager   the two operations that the API calls: ``update`` and ``apply``
"""
