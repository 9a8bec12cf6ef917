"""Keeps the number of pods of every ReplicaSet."""

from pykube_cp.controllers.shared.kinds import REPLICA_SET, REPLICA_SETS
from pykube_cp.controllers.shared.replicas import ReplicaController

CONTROLLER = ReplicaController(REPLICA_SETS, REPLICA_SET, counts_terminating=True).page(
    "replicaset-controller", "replicaset-controller", "replicaset"
)
