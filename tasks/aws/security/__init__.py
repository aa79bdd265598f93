"""Security services: keys and certificates, and what watches an account: trails, Config and analyzers."""
