"""Columns of node.k8s.io."""
# upstream: pkg/printers/internalversion/printers.go printRuntimeClass

from pykube_cp.registry import table
from pykube_cp.registry.resource import Column
from pykube_cp.resources.shared import cells

RUNTIME_CLASS = (table.NAME, Column("Handler", cells.at("handler")), table.AGE)
