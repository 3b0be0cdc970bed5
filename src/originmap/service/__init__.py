"""What users do, one file per use. Knows the domain and the store, nothing of HTTP."""
