"""The AWS client: credentials, endpoints, paging, errors, tenants."""
