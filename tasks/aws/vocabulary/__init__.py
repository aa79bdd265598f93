"""What AWS declarations share: the base node, ARNs, policies, keys, names."""
