"""The metrics of a server, from its exposition."""

from prometheus_client.parser import text_string_to_metric_families

from originmap.api.native.exposition import expose
from originmap.api.traffic import Answered, RequestTally
from originmap.domain.rollout.rollout import RolloutState
from originmap.service.vitals import (
    FollowersNow,
    HooksNow,
    ReplicaNow,
    RolloutNow,
    StageNow,
    StandbyNow,
    StreamCounts,
    Vitals,
)
from originmap.store.port import Queue
from scripts.reference.markdown import code, table

_EVERYTHING = Vitals(
    revision=1,
    oldest=0,
    writable=True,
    size=1,
    queue=Queue(waiting=0, groups=1, writes=1),
    watchers=0,
    followers=FollowersNow(heard=1, silent=0, lag=0),
    replica=ReplicaNow(connected=True, age=0.0),
    standby=StandbyNow(serves=True, lag=0.0, reads=1, fallbacks=1),
    rollout=RolloutNow(RolloutState.RUNNING, stage_count=1, released=1, stages=(StageNow(1, 1),)),
    hooks=HooksNow(total=1, dead=0, delivered=1, failed=0, lag=0),
    xds=StreamCounts(),
)
"""The numbers of a server that has every metric."""


def metrics() -> str:
    """The table of all metrics, with types and labels."""
    _, text = expose({Answered("/", "GET", 200): RequestTally()}, _EVERYTHING, "")
    families: dict[str, tuple[str, str, list[str]]] = {}
    for family in text_string_to_metric_families(text.decode()):
        labels = {name for sample in family.samples for name in sample.labels} - {"le"}
        name = f"{family.name}_total" if family.type == "counter" else family.name
        families[name] = family.type, family.documentation, sorted(labels)
    rows = [
        (code(name), kind, ", ".join(map(code, labels)), help_)
        for name, (kind, help_, labels) in families.items()
    ]
    return table(("metric", "type", "labels", "meaning"), rows)
