"""How other servers are asked over HTTP: proxies, certificates, and the clients made with them."""
