pytest_plugins = ["pykube_cp.testing.pytest_plugin"]
