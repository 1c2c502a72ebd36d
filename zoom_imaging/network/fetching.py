"""From a PACS into a folder: what is offered and not there is fetched, and all is accounted for.

The unit is a series: a PACS is asked for it as a whole when all of it is missing, else for single
objects.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from zoom_imaging.errors import NetworkError
from zoom_imaging.ingest.text import visible
from zoom_imaging.network.inbox import Inbox
from zoom_imaging.network.manifest import Manifest, Outcome, State
from zoom_imaging.network.search import Instance, Search, Unlisted
from zoom_imaging.network.storing import Arrival, Received


class Archive(Protocol):
    """A PACS, whichever way it is spoken to."""

    def offered(self, search: Search) -> Iterator[Instance | Unlisted]:
        """Every object that meets the search. NetworkError where the PACS cannot be asked."""
        ...

    def retrieve(
        self, instances: Sequence[Instance], *, whole_series: bool, inbox: Inbox
    ) -> Iterator[Outcome]:
        """Fetch objects of one series into the inbox; an outcome for each that is known of.

        NetworkError where the PACS does not answer any more.
        """
        ...


@dataclass(frozen=True)
class Summary:
    """How many objects of how many studies ended in which state."""

    studies: int
    states: Counter[State]

    @property
    def failed(self) -> int:
        """Objects that are not there."""
        return self.states[State.FAILED]

    def __str__(self) -> str:
        told = ", ".join(f"{self.states[state]} {state}" for state in State)
        return f"{self.states.total()} objects of {self.studies} studies: {told}"


def fetch(
    archive: Archive,
    search: Search,
    inbox: Inbox,
    manifest: Manifest,
    say: Callable[[str], None],
    *,
    source: str,
) -> Summary:
    """Fetch what is missing. NetworkError only if nothing could be asked in the first place."""
    offered = list(archive.offered(search))
    unlisted = [one for one in offered if isinstance(one, Unlisted)]
    studies = _by_study(one for one in offered if isinstance(one, Instance))
    totals: Counter[State] = Counter()
    for one in unlisted:
        lost = Instance(one.study_instance_uid, one.series_instance_uid, "")
        manifest.add(Outcome(lost, State.FAILED, reason=one.reason), source)
        what = f"series {one.series_instance_uid}" if one.series_instance_uid else "its series"
        say(f"study {visible(one.study_instance_uid)}: {visible(what)} not listed: {one.reason}")
        totals[State.FAILED] += 1
    for study, series in studies.items():
        states: Counter[State] = Counter()
        for instances in series.values():
            for outcome in _series(archive, instances, inbox, manifest, source):
                states[outcome.state] += 1
                if outcome.reason:
                    uid = visible(outcome.instance.sop_instance_uid)
                    say(f"  {uid} {outcome.state}: {outcome.reason}")
        told = ", ".join(f"{states[state]} {state}" for state in State if states[state])
        say(f"study {visible(study)}: {told}")
        totals += states
    named = {*studies, *(one.study_instance_uid for one in unlisted)}
    return Summary(len(named), totals)


def outcome_of(instance: Instance, received: Received) -> Outcome:
    """What the inbox made of an object that came."""
    if received.arrival is Arrival.REFUSED:
        return Outcome(instance, State.FAILED, reason=received.reason)
    state = State.PRESENT if received.arrival is Arrival.HELD else State.FETCHED
    return Outcome(instance, state, received.path, received.size_bytes, received.reason)


def _by_study(offered: Iterable[Instance]) -> dict[str, dict[str, list[Instance]]]:
    """Each object once, by study and series, in an order that does not depend on the PACS."""
    distinct = {instance.sop_instance_uid: instance for instance in offered}
    studies: dict[str, dict[str, list[Instance]]] = defaultdict(lambda: defaultdict(list))
    ordered = sorted(
        distinct.values(),
        key=lambda one: (one.study_instance_uid, one.series_instance_uid, one.sop_instance_uid),
    )
    for instance in ordered:
        studies[instance.study_instance_uid][instance.series_instance_uid].append(instance)
    return studies


def _series(
    archive: Archive,
    instances: Sequence[Instance],
    inbox: Inbox,
    manifest: Manifest,
    source: str,
) -> Iterator[Outcome]:
    """An outcome for each object of a series, in the manifest before it is told."""
    missing: dict[str, Instance] = {}
    for instance in instances:
        uid = instance.sop_instance_uid
        known = manifest.whole_file(uid)
        if known is not None:
            yield Outcome(instance, State.PRESENT, known)
        elif (found := inbox.find(uid)) is not None:
            path, _ = found
            outcome = Outcome(instance, State.PRESENT, path, path.stat().st_size)
            manifest.add(outcome, source)
            yield outcome
        else:
            missing[uid] = instance
    if not missing:
        return
    whole = len(missing) == len(instances)
    why = "the PACS did not send it"
    try:
        for outcome in archive.retrieve(list(missing.values()), whole_series=whole, inbox=inbox):
            if missing.pop(outcome.instance.sop_instance_uid, None) is not None:
                manifest.add(outcome, source)
                yield outcome
    except NetworkError as error:
        why = error.reason
    for instance in missing.values():
        outcome = Outcome(instance, State.FAILED, reason=why)
        manifest.add(outcome, source)
        yield outcome
