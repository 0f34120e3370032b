"""Who may look, and who may act."""

import pytest

from infra.dashboard.access import Access, Refused, check
from infra.errors import UserError

TOKEN = "0123456789abcdef"  # noqa: S105 # of nothing


def refused(action: object, *arguments: object) -> int:
    assert callable(action)
    with pytest.raises(Refused) as told:
        action(*arguments)
    return told.value.status


def test_beyond_loopback_only_with_a_token_and_a_long_one() -> None:
    check("127.0.0.1", None)
    check("0.0.0.0", TOKEN)  # noqa: S104 # what is tested
    with pytest.raises(UserError, match="TRADEWIND_DASHBOARD_TOKEN"):
        check("0.0.0.0", None)  # noqa: S104 # what is tested
    with pytest.raises(UserError, match="16 characters"):
        check("127.0.0.1", "short")


def test_without_a_token_nothing_can_be_changed() -> None:
    access = Access(token=None, guarded=False)
    access.may_look(None, None, 0.0)
    assert refused(access.may_act, None, "", "page", 0.0) == 403
    assert refused(access.may_act, None, "anything", "page", 0.0) == 403


def test_a_session_acts_only_with_the_mark_of_our_own_page() -> None:
    access = Access(token=TOKEN, guarded=True)
    assert refused(access.may_look, None, None, 0.0) == 401
    session = access.sign_in(TOKEN, 0.0)
    access.may_look(session, None, 1.0)
    access.may_act(session, None, "page", 1.0)
    assert refused(access.may_act, session, None, None, 1.0) == 403
    assert refused(access.may_act, "another", None, "page", 1.0) == 401
    assert refused(access.may_act, session, None, "page", 1e9) == 401  # it has ended
    access.sign_out(session)
    assert refused(access.may_act, session, None, "page", 1.0) == 401


def test_a_program_sends_the_token_itself() -> None:
    access = Access(token=TOKEN, guarded=True)
    access.may_act(None, TOKEN, None, 0.0)
    access.may_look(None, TOKEN, 0.0)
    assert refused(access.may_act, None, TOKEN + "x", None, 0.0) == 401


def test_tokens_can_not_be_tried_out() -> None:
    access = Access(token=TOKEN, guarded=True)
    assert [refused(access.sign_in, f"wrong{n}", float(n)) for n in range(10)] == [401] * 10
    assert refused(access.sign_in, TOKEN, 11.0) == 429
    assert access.sign_in(TOKEN, 75.0)
