"""Keeps the number of pods of every ReplicationController."""

from pykube_cp.controllers.shared.kinds import REPLICATION_CONTROLLER, REPLICATION_CONTROLLERS
from pykube_cp.controllers.shared.replicas import ReplicaController

CONTROLLER = ReplicaController(
    REPLICATION_CONTROLLERS, REPLICATION_CONTROLLER, counts_terminating=False
).page("replicationcontroller-controller", "replication-controller", "replicationcontroller")
