"""Items go in from anywhere and are taken in order, one at a time, once."""

from __future__ import annotations

import gc
import threading
import time

import pytest

from openrouter_otel.inbox import Inbox


def test_items_are_taken_in_the_order_they_came() -> None:
    taken: list[int] = []
    inbox = Inbox(taken.append)

    for number in range(5):
        inbox.put(number)
    assert taken == []
    inbox.settle()
    inbox.settle()

    assert taken == [0, 1, 2, 3, 4]


def test_settling_inside_of_settling_leaves_the_item_to_whoever_is_at_it() -> None:
    taken: list[int] = []
    depth: list[int] = []

    def take(number: int) -> None:
        depth.append(1)
        assert len(depth) == 1, "two takes at once"
        if number < 3:
            inbox.put(number + 1)
            inbox.settle()
        taken.append(number)
        depth.pop()

    inbox = Inbox(take)
    inbox.put(0)
    inbox.settle()

    assert taken == [0, 1, 2, 3]


def test_a_finalizer_in_the_middle_of_a_take_neither_waits_nor_gets_lost() -> None:
    taken: list[str] = []

    class Dropped:
        def __init__(self) -> None:
            self.me = self

        def __del__(self) -> None:
            inbox.put("finalizer")
            inbox.settle()

    def take(item: str) -> None:
        if item == "call":
            Dropped()
            gc.collect()
        taken.append(item)

    inbox = Inbox(take)
    inbox.put("call")
    inbox.settle()

    assert taken == ["call", "finalizer"]


def test_a_take_that_ctrl_c_cut_short_is_offered_again() -> None:
    offered: list[int] = []

    def take(number: int) -> None:
        offered.append(number)
        if len(offered) == 1:
            raise KeyboardInterrupt

    inbox = Inbox(take)
    inbox.put(1)
    inbox.put(2)
    with pytest.raises(KeyboardInterrupt):
        inbox.settle()
    inbox.settle()

    assert offered == [1, 1, 2]


def test_a_take_that_fails_once_is_offered_again() -> None:
    """Handlers of signals raise what they like: a time limit's exception is an ordinary `Exception`."""
    offered: list[int] = []

    def take(number: int) -> None:
        offered.append(number)
        if len(offered) == 1:
            raise TimeoutError

    inbox = Inbox(take)
    inbox.put(1)
    with pytest.raises(TimeoutError):
        inbox.settle()
    inbox.settle()

    assert offered == [1, 1]


def test_an_item_that_always_fails_does_not_block_those_behind_it() -> None:
    taken: list[int] = []

    def take(number: int) -> None:
        if number == 1:
            raise ValueError(number)
        taken.append(number)

    inbox = Inbox(take)
    for number in (1, 2, 3):
        inbox.put(number)
    for _ in range(2):
        with pytest.raises(ValueError, match="1"):
            inbox.settle()
    inbox.settle()

    assert taken == [2, 3]


def test_whoever_finds_the_lock_taken_does_not_wait_unless_asked() -> None:
    entered, leave = threading.Event(), threading.Event()
    taken: list[int] = []

    def take(number: int) -> None:
        entered.set()
        leave.wait(5)
        taken.append(number)

    inbox = Inbox(take)
    inbox.put(1)
    busy = threading.Thread(target=inbox.settle)
    busy.start()
    entered.wait(5)
    inbox.put(2)

    began = time.monotonic()
    inbox.settle()
    assert time.monotonic() - began < 1
    assert taken == []

    leave.set()
    inbox.settle(wait=5)  # waits until the other is done
    busy.join()
    assert taken == [1, 2]


def test_every_item_of_many_threads_is_taken_once() -> None:
    taken: list[tuple[int, int]] = []
    inbox: Inbox[tuple[int, int]] = Inbox(taken.append)

    def work(who: int) -> None:
        for number in range(500):
            inbox.put((who, number))
            inbox.settle()

    threads = [threading.Thread(target=work, args=(who,)) for who in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    inbox.settle()

    assert sorted(taken) == [(who, number) for who in range(8) for number in range(500)]
    for who in range(8):
        assert [number for mine, number in taken if mine == who] == list(range(500))
