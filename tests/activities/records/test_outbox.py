"""Events, notifications and metric samples."""

from concurrent.futures import ThreadPoolExecutor

from activities.records import Records
from tests.support.records import event, notification


def test_events_are_read_in_the_order_they_were_published(records: Records) -> None:
    for number in range(5):
        records.outbox.store(event(f"e{number}", data={"number": number, "nothing": None, "yes": True}))
    first = records.outbox.after(limit=3)
    rest = records.outbox.after(first[-1].seq)
    assert [entry.event.id for entry in [*first, *rest]] == ["e0", "e1", "e2", "e3", "e4"]
    assert first[1].event == event("e1", data={"number": 1, "nothing": None, "yes": True})
    assert [entry.event.id for entry in records.outbox.recent(2)] == ["e4", "e3"]


def test_publishing_twice_is_publishing_once(records: Records) -> None:
    for _ in range(3):
        records.outbox.store(event("e1"))
    assert len(records.outbox.after()) == 1


def test_events_by_type_and_subject(records: Records) -> None:
    records.outbox.store(event("a"))
    records.outbox.store(event("b", type="Other", subject="prod/api"))
    assert [entry.event.id for entry in records.outbox.after(types=["Other", "More"])] == ["b"]
    assert [entry.event.id for entry in records.outbox.recent(subject="prod/web")] == ["a"]


def test_a_reader_misses_nothing_while_many_write(records: Records) -> None:
    seen: list[str] = []
    last = 0
    with ThreadPoolExecutor(8) as pool:
        writes = [pool.submit(records.outbox.store, event(f"e{number % 40}")) for number in range(80)]
        while not all(write.done() for write in writes):
            for entry in records.outbox.after(last):
                last, seen = entry.seq, [*seen, entry.event.id]
        for write in writes:
            write.result()
    seen += [entry.event.id for entry in records.outbox.after(last)]
    assert sorted(seen) == sorted({f"e{number}" for number in range(40)})


def test_notifications_know_their_channels(records: Records) -> None:
    records.notifications.store(notification("a"), at=1.0)
    records.notifications.store(notification("a", title="another title"), at=9.0)
    records.notifications.store(notification("b"), at=2.0)
    records.notifications.mark("a", "console")
    records.notifications.mark("a", "console")
    records.notifications.mark("a", "slack")
    assert records.notifications.channels("a") == {"console", "slack"}
    assert records.notifications.channels("none") == set()
    told = records.notifications.recent()
    assert [(each.notification.key, each.at, sorted(each.channels)) for each in told] == [
        ("b", 2.0, []),
        ("a", 1.0, ["console", "slack"]),
    ]
    assert told[1].notification.title == "web is out"
    assert len(records.notifications.recent(limit=1)) == 1


def test_samples_by_place_release_and_time(records: Records) -> None:
    for at in (1.0, 2.0, 3.0):
        records.samples.store("prod/web", "web-1", at, {"requests": at, "buckets": [1, 2]})
        records.samples.store("prod/web", "web-2", at, {"requests": 0})
    records.samples.store("prod/api", "api-1", 2.0, {})
    assert [(s.at, s.release_id) for s in records.samples.between("prod/web", 2.0)] == [
        (2.0, "web-1"), (2.0, "web-2"), (3.0, "web-1"), (3.0, "web-2"),
    ]  # fmt: skip
    assert [s.payload["requests"] for s in records.samples.between("prod/web", 0.0, 2.0, "web-1")] == [1.0, 2.0]
    newest = records.samples.last_before("prod/web", "web-1", 2.5)
    assert newest and newest.at == 2.0
    assert records.samples.last_before("prod/web", "web-1", 0.5) is None


def test_a_sample_stored_twice_is_one_and_old_ones_go(records: Records) -> None:
    for payload in ({"requests": 1}, {"requests": 2}):
        records.samples.store("prod/web", "web-1", 1.5, payload)
    assert [s.payload for s in records.samples.between("prod/web", 0.0)] == [{"requests": 2}]
    records.samples.store("prod/web", "web-1", 9.0, {})
    assert records.samples.prune(9.0) == 1
    assert [s.at for s in records.samples.between("prod/web", 0.0)] == [9.0]
    records.samples.store_all([])
