"""Who goes, when there is too much."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from uplink.budget import Budget, Held, Policy, Verdict, judge

CLIPS = st.lists(
    st.builds(Held, st.text(max_size=4), st.integers(1, 100), st.integers(0, 3)), unique_by=lambda h: h.clip
)
POLICIES = st.sampled_from(["refuse_new", "drop_oldest", "drop_unverified_first"])


@given(CLIPS, st.integers(0, 300), POLICIES, st.integers(0, 50), st.integers(1, 50), st.booleans())
def test_within_the_budget_nothing_goes_and_beyond_it_no_more_than_must(
    others: list[Held], limit: int, policy: Policy, own: int, size: int, begun: bool
) -> None:
    verdict = judge(Budget(limit, policy=policy), others, own if begun else 0, size, 0, begun=begun)
    waiting = sum(each.size for each in others) + (own if begun else 0)
    gone = [each for each in others if each.clip in verdict.victims]
    if waiting + size <= limit:
        assert verdict == Verdict(True)
    elif policy == "refuse_new":
        assert verdict == Verdict(begun)
    else:
        assert verdict.keep
        left = waiting + size - sum(each.size for each in gone)
        assert left <= limit or len(gone) == len(others)
        last = max(gone, key=lambda each: verdict.victims.index(each.clip), default=None)
        assert last is None or left + last.size > limit
        stay = [each for each in others if each not in gone]
        if policy == "drop_oldest":
            assert gone + stay == others
        else:
            assert all(one.priority <= other.priority for one in gone for other in stay)


@given(CLIPS, POLICIES, st.integers(1, 50), st.integers(1, 300), st.booleans())
def test_on_a_full_disk_nothing_goes_for_a_part_that_would_not_fit_all_the_same(
    others: list[Held], policy: Policy, size: int, lacking: int, begun: bool
) -> None:
    verdict = judge(Budget(policy=policy), others, 0, size, lacking, begun=begun)
    freed = sum(each.size for each in others if each.clip in verdict.victims)
    if policy == "refuse_new" or sum(each.size for each in others) < lacking:
        assert verdict == Verdict(False)
    else:
        assert verdict.keep
        assert freed >= lacking
