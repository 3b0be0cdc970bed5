"""Writing files completely, or what changed of them."""
