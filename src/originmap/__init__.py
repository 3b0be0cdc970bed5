"""Originmap: the Origin Cloud Regions API, self-hosted, and the choice of upper tier from it.

A map of the program, from the bottom up:

- `domain`     what is true: addresses, regions, mappings, rights, tiers. No I/O.
- `data`       the packaged catalogue of vendors and regions, and the default colos.
- `detect`     the vendors' published IP ranges: readers, the files kept, downloads.
- `store`      where it is kept: one port, and an implementation per database.
- `feed`       changes and snapshots as JSON, both ways.
- `client`     the v4 API from outside, ours or the real one.
- `mapfile`    the files that people keep mappings in.
- `planning`   mappings as code: plans made, saved, carried out.
- `service`    what users do, one file per use.
- `api`        HTTP: Cloudflare's routes, our own, and what both share.
- `admin`      the Unix socket through which the command line reaches a running server.
- `edge`       what fills a replica: following another server's feed.
- `databases`  which store a name stands for; migrating and copying.
- `cli`        one command per file; the only place that prints.
- `settings`   one schema of settings.

Concrete classes meet in `bootstrap`, those of a server in `bootstrap_server`, those of an agent in
`bootstrap_edge`.
"""

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"
__all__ = ["Resolver", "__version__"]

if TYPE_CHECKING:
    from originmap.domain.tier.resolution import Resolver
else:

    def __getattr__(name: str) -> Any:
        """The resolver, loaded when it is asked for: most commands start sooner without it."""
        if name != "Resolver":
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from originmap.domain.tier.resolution import Resolver

        return Resolver
