"""Measures Originmap and its anchors in one run: `python -m bench`, see README.md.

Nothing here is part of the package that is installed.
"""
