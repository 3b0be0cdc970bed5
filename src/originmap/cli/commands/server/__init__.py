"""Commands that run or copy servers and databases."""
