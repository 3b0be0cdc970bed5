"""The pages, one module each: what they ask the API, and the forms that they handle."""
