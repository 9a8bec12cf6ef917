"""What several scheduler plugins need: requests, tolerations, node selectors, volumes."""
