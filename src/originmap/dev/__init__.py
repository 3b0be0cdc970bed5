"""What `originmap dev` adds for tests: faults, a clock, a journal, saved states, strict checks."""
