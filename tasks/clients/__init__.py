"""Clients of the providers' APIs: rate limits, retries, paging, errors."""
