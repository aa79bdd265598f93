"""Amazon Web Services: tenants are accounts."""
