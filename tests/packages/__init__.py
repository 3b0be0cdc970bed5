"""The released packages, installed without a checkout."""
