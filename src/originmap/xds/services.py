"""What the streams of nodes use."""

from typing import NamedTuple, Protocol

from originmap.service.access.access import Access
from originmap.service.access.brake import Brake
from originmap.service.access.directory import Directory
from originmap.service.access.sessions import Sessions
from originmap.service.feed.followers import Report
from originmap.service.rollout.rollouts import Rollouts
from originmap.service.vitals import StreamCounts
from originmap.store.port import Store
from originmap.xds.groups import ResourceGroups


class NodeReports(Protocol):
    """Takes the reports of nodes; see `Followers.reported`."""

    def reported(self, name: str, credential: str, client: str, report: Report) -> None: ...


class XDSServices(NamedTuple):
    """The services that streams use."""

    store: Store
    access: Access
    directory: Directory
    brake: Brake
    sessions: Sessions
    reports: NodeReports
    rollouts: Rollouts
    groups: ResourceGroups
    counts: StreamCounts
