"""HAProxy, with a frontend for colos with several caches, as in docs/exports.md."""

from tests.caches.programs.haproxy import HAProxy


class SharedHAProxy(HAProxy):
    """In the colo IAD; it fills from the origin if a request is marked or no sibling is up."""

    siblings = """
    acl inside var(txn.fill) -m str originmap_iad originmap-generic
    acl alone var(txn.fill) -m str originmap_iad
    use_backend originmap-origin if inside { req.hdr(X-Originmap-Colo) -m found }
    use_backend originmap-origin if alone { var(txn.fill),nbsrv eq 0 }
"""
