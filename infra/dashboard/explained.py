"""The last decision of one entity, explained from what the model holds of it."""

import msgspec

from infra.dashboard import views
from infra.dashboard.entities import DOMAINS
from infra.dashboard.model import Model
from infra.dashboard.why import Slot, explain
from policies.bidding import pacing
from policies.orders import demand
from policies.slates import recommend
from policies.version import Priors
from streams.records import Decision, Domain, Recommendation

_SHIPPED: dict[Domain, Priors] = {
    "recommendation": recommend.PRIOR,
    "bidding": pacing.PRIOR,
    "replenishment": demand.PRIOR,
}


def entities(model: Model, domain: Domain, count: int) -> views.EntityList:
    return views.EntityList(domain=domain, newest=model.entities.kept[domain].newest(count))


def first(model: Model) -> tuple[Domain, str] | None:
    """Somebody to begin with: whoever was decided about last, of the first domain that has any."""
    for domain in DOMAINS:
        for name in model.entities.kept[domain].newest(1):
            return domain, name
    return None


def explained(model: Model, domain: Domain, name: str) -> views.WhyView | None:
    """None where no decision of this entity is kept."""
    users = model.entrance.users
    found = _last(model, domain, name)
    if found is None and users is not None and domain == "recommendation":
        name = users.of(name)  # somebody asks for a user by the shop's own id
        found = _last(model, domain, name)
    if found is None:
        return None
    decision, slate = found
    why = explain(decision, model.versions.prior(decision.policy_hash, domain, _SHIPPED.get(domain, {})), slate)
    kept = model.entities.kept[domain].get(name)
    return views.WhyView(
        domain=domain,
        entity=name,
        decision_id=decision.decision_id,
        decided_at=decision.decided_at,
        policy_version=decision.policy_version,
        policy_hash=decision.policy_hash,
        chosen=decision.chosen,
        summary=why.summary,
        unknown=why.unknown,
        slots=[_slot(model, slot) for slot in why.slots],
        weights=[views.WeightView.model_validate(one) for one in why.weights],
        numbers=[views.NumberView.model_validate(one) for one in why.numbers],
        history=[views.PastView.model_validate(past) for past in reversed(kept.history if kept is not None else ())],
    )


def _last(model: Model, domain: Domain, name: str) -> tuple[Decision, Recommendation | None] | None:
    try:
        return model.entities.last(domain, name)
    except msgspec.DecodeError:
        return None


def _slot(model: Model, slot: Slot) -> views.SlotView:
    category = model.categories.get(slot.item)
    label = f"{category.lower()} {slot.item}" if category else slot.item
    return views.SlotView.model_validate(slot).model_copy(update={"label": label})
