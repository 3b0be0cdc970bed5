"""The benchmark cases: each module has one case or several related cases, and a function `measure`."""
