"""The benchmark cases: each module has one case or related cases, and a function `measure`."""
