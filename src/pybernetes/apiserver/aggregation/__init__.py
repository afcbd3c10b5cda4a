"""The aggregation layer: APIServices, one for each group-version, whoever serves it."""
