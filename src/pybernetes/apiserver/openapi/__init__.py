"""The OpenAPI documents, versions 2 and 3, written from the rows of kinds and the schema of the types."""
