"""A Kubernetes v1.37 control plane in Python."""

VERSION = "0.1.0"
KUBERNETES_VERSION = "v1.37.2"
