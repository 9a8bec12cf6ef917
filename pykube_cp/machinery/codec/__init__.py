"""Media types: JSON, YAML, CBOR and Kubernetes protobuf to objects and back."""
