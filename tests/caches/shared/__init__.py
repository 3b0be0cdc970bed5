"""Real caches load our exports: nginx, HAProxy, Varnish, Traffic Server and Envoy.

They come from the system and from PyPI; `make caches` installs the former. Without them these
tests are skipped, on CI they fail.
"""
