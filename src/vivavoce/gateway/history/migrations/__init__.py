"""The history's tables, from one version to the next; `vivavoce.gateway.history.migrate` runs them."""
