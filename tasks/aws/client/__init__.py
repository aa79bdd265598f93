"""The AWS client: credentials, endpoints, retries, paging, errors, and the accounts it reaches."""
