"""What AWS declarations share: base nodes, ARNs, encryption keys, policies, principals, DNS names."""
