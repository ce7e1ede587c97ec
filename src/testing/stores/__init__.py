"""The test of a credential store: `check_store` in `check`, the properties in the other modules."""
