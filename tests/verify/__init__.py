"""The checks of `originmap verify` against right and wrong servers."""
