"""Originmap: a self-hosted Origin Cloud Regions API that chooses the upper tier of an origin.

The packages and modules, from the bottom up:

- `domain`     The rules: addresses, regions, mappings, permissions, tiers. No I/O.
- `data`       The packaged catalogue of vendors and regions, and the default topology.
- `detect`     The vendors' published IP ranges: download, storage, readers.
- `store`      Persistence: one port, and one implementation per database.
- `feed`       Changes and snapshots as JSON: encoding and decoding.
- `client`     A client of the v4 API, for Originmap and for Cloudflare.
- `mapfile`    The files of mappings that people write.
- `planning`   Mappings as code: create, save and apply plans.
- `service`    The use cases, one per file.
- `api`        HTTP: Cloudflare's routes, our own routes, and their shared parts.
- `edge`       The edge agent, and the client that replicates another server's feed.
- `databases`  Opens, migrates and copies the database that `--db` names.
- `cli`        The commands, one per file; only this package prints.
- `settings`   The schema of all settings.

`bootstrap` builds the concrete classes of a command, `bootstrap_server` those of a server and
`bootstrap_edge` those of an agent.
"""

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"
__all__ = ["Resolver", "__version__"]

if TYPE_CHECKING:
    from originmap.domain.tier.resolution import Resolver
else:

    def __getattr__(name: str) -> Any:
        """Load the resolver on first use: most commands do not need it and start faster."""
        if name != "Resolver":
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from originmap.domain.tier.resolution import Resolver

        return Resolver
