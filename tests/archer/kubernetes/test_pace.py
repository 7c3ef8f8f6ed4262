from archer.kubernetes.pace import Pace, Pacer


def pauses(pacer: Pacer, count: int = 200) -> list[float]:
    return [pacer.pause(None) for _ in range(count)]


def test_pauses_are_random_and_grow_up_to_the_longest() -> None:
    pace = Pace(first_pause_seconds=1, longest_pause_seconds=8)
    many = [pauses(Pacer(pace), 6) for _ in range(300)]
    longest = [max(each) for each in zip(*many, strict=True)]

    assert all(pause >= 0 for each in many for pause in each)
    for found, most in zip(longest, (1, 2, 4, 8, 8, 8), strict=True):
        assert most / 2 < found <= most
    assert len({round(each[3], 6) for each in many}) > 100


def test_however_long_a_server_fails_the_pause_stays_finite() -> None:
    assert max(pauses(Pacer(Pace(longest_pause_seconds=30)), 5000)) <= 30


def test_what_the_server_asks_for_is_the_least() -> None:
    pacer = Pacer(Pace(first_pause_seconds=1))

    assert 7 <= pacer.pause(7) <= 8


def test_after_success_the_next_failure_is_a_first_one() -> None:
    pacer = Pacer(Pace(first_pause_seconds=1))
    pauses(pacer)
    pacer.went_well()

    assert pacer.pause(None) <= 1


def test_lists_begin_at_least_a_gap_apart_and_the_first_at_once() -> None:
    now = [100.0]
    pacer = Pacer(Pace(relist_gap_seconds=5), clock=lambda: now[0])
    assert pacer.until_list() == 0
    pacer.lists()
    now[0] += 2
    assert pacer.until_list() == 3
    now[0] += 60

    assert pacer.until_list() == 0
