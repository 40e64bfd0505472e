"""Heartbeats: few, and of each thread its own."""

import threading

from activities.clients.beats import Sparing


def test_at_most_one_in_the_given_time() -> None:
    beats: list[str] = []
    beat = Sparing(lambda: beats.append("b"), every=60)
    for _ in range(1000):
        beat()
    assert beats == ["b"]


def test_all_when_time_has_passed() -> None:
    beats: list[str] = []
    beat = Sparing(lambda: beats.append("b"), every=0)
    for _ in range(3):
        beat()
    assert beats == ["b"] * 3


def test_one_threads_heartbeat_is_not_anothers() -> None:
    beats: list[str] = []
    beat = Sparing(lambda: beats.append(threading.current_thread().name), every=60)
    beat()
    other = threading.Thread(target=lambda: (beat(), beat()), name="other")
    other.start()
    other.join()
    assert beats == ["MainThread", "other"]
