"""How a case is measured: servers, data, load, rounds and figures."""
