"""Rules that change the records of hooks."""

from collections.abc import Callable, Collection
from dataclasses import replace

from originmap.domain.history.record import (
    Key,
    Kind,
    RecordChange,
    RecordDecide,
    RecordDecision,
    RecordsView,
)
from originmap.domain.hook.errors import HookExists, HookNotFound, InvalidHook
from originmap.domain.hook.hook import (
    MAX_HOOKS,
    MAX_LETTERS,
    DeadLetter,
    DeadLetters,
    Hook,
    HookPosition,
)

_KINDS = (Kind.HOOK, Kind.HOOK_POSITION, Kind.DEAD_LETTERS)


def add_hook(hook: Hook) -> RecordDecide[Hook]:
    """Add a hook. Raises HookExists, and InvalidHook if there are MAX_HOOKS."""

    def decide(records: RecordsView) -> RecordDecision[Hook]:
        key = Key(Kind.HOOK, hook.name)
        if key in records:
            raise HookExists(hook.name)
        if sum(each.kind is Kind.HOOK for each in records) >= MAX_HOOKS:
            raise InvalidHook(f"there are {MAX_HOOKS} hooks, which is the limit")
        return RecordDecision((RecordChange(key, None, hook),), hook)

    return decide


def remove_hook(name: str) -> RecordDecide[None]:
    """Remove a hook with its position and dead letters. Raises HookNotFound."""

    def decide(records: RecordsView) -> RecordDecision[None]:
        _check_exists(records, name)
        keys = [key for key in (Key(kind, name) for kind in _KINDS) if key in records]
        return RecordDecision(tuple(RecordChange(key, records[key], None) for key in keys), None)

    return decide


def save_position(
    hook: Hook, position: HookPosition, now: int, died: Collection[DeadLetter] = ()
) -> RecordDecide[HookPosition | None]:
    """Store how far `position.holder` has come, and what has died meanwhile. The outcome is the
    stored position, which never goes back; None, with nothing stored, if the hook was removed or
    replaced, or another process delivers."""

    def decide(records: RecordsView) -> RecordDecision[HookPosition | None]:
        key = Key(Kind.HOOK_POSITION, position.name)
        before = records.get(key)
        after = position
        if records.get(Key(Kind.HOOK, hook.name)) != hook:
            return RecordDecision((), None)
        if isinstance(before, HookPosition):
            if before.held_by_other(position.holder, now):
                return RecordDecision((), None)
            if before.revision > position.revision:
                kept = (position.holder, position.held_until)
                after = replace(before, holder=kept[0], held_until=kept[1])
        changes = () if after == before else (RecordChange(key, before, after),)
        if not died or after is not position:
            return RecordDecision(changes, after)
        letters = letters_of(records, position.name)
        kept_letters = (*letters.letters, *died)
        over = max(len(kept_letters) - MAX_LETTERS, 0)
        with_died = replace(letters, letters=kept_letters[over:], dropped=letters.dropped + over)
        return RecordDecision((*changes, *_letters_change(records, with_died)), after)

    return decide


def retry_letters(name: str, revisions: Collection[int]) -> RecordDecide[int]:
    """Mark dead letters to be sent again, all without `revisions`, and let the next attempt of the
    hook be at once. The outcome is their number. Raises HookNotFound."""

    def decide(records: RecordsView) -> RecordDecision[int]:
        _check_exists(records, name)
        letters = letters_of(records, name)
        chosen = _chosen(letters, revisions)
        marked = _mapped(letters, chosen, lambda letter: replace(letter, retry=True))
        changes = list(_letters_change(records, marked))
        key = Key(Kind.HOOK_POSITION, name)
        before = records.get(key)
        if isinstance(before, HookPosition) and before.retry_at:
            changes.append(RecordChange(key, before, replace(before, retry_at=0)))
        return RecordDecision(tuple(changes), len(chosen))

    return decide


def discard_letters(name: str, revisions: Collection[int]) -> RecordDecide[int]:
    """Forget dead letters, all without `revisions`. The outcome is their number. Raises
    HookNotFound."""

    def decide(records: RecordsView) -> RecordDecision[int]:
        _check_exists(records, name)
        letters = letters_of(records, name)
        chosen = _chosen(letters, revisions)
        left = _mapped(letters, chosen, lambda letter: None)
        left = replace(left, dropped=left.dropped if revisions else 0)
        return RecordDecision(_letters_change(records, left), len(chosen))

    return decide


def settle_letter(name: str, revision: int, problem: str) -> RecordDecide[None]:
    """Remove a dead letter that was delivered; with a `problem`, keep it and retry none."""

    def decide(records: RecordsView) -> RecordDecision[None]:
        letters = letters_of(records, name)

        def settled(letter: DeadLetter) -> DeadLetter | None:
            if letter.revision != revision:
                return replace(letter, retry=False)
            return replace(letter, retry=False, problem=problem)

        if problem:
            every = [letter.revision for letter in letters.letters]
            after = _mapped(letters, every, settled)
        else:
            after = _mapped(letters, [revision], lambda letter: None)
        return RecordDecision(_letters_change(records, after), None)

    return decide


def letters_of(records: RecordsView, name: str) -> DeadLetters:
    """The dead letters of a hook."""
    found = records.get(Key(Kind.DEAD_LETTERS, name))
    return found if isinstance(found, DeadLetters) else DeadLetters(name)


def _chosen(letters: DeadLetters, revisions: Collection[int]) -> set[int]:
    every = {letter.revision for letter in letters.letters}
    return every & set(revisions) if revisions else every


def _mapped(
    letters: DeadLetters,
    revisions: Collection[int],
    change: Callable[[DeadLetter], DeadLetter | None],
) -> DeadLetters:
    changed = (change(x) if x.revision in revisions else x for x in letters.letters)
    return replace(letters, letters=tuple(x for x in changed if x is not None))


def _letters_change(records: RecordsView, after: DeadLetters) -> tuple[RecordChange, ...]:
    """The change to these dead letters; a hook without any has no record of them."""
    key = Key(Kind.DEAD_LETTERS, after.name)
    before, kept = records.get(key), after if after.letters or after.dropped else None
    return () if before == kept else (RecordChange(key, before, kept),)


def _check_exists(records: RecordsView, name: str) -> None:
    if Key(Kind.HOOK, name) not in records:
        raise HookNotFound(name)
