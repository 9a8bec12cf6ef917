"""What ``kubectl get`` prints, one page per group."""
