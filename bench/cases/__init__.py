"""What is measured: each module is a case or a group of cases, with a `measure`."""
