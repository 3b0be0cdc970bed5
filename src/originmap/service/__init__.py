"""Use cases, one module each. They depend on the domain and the store, not on HTTP."""
