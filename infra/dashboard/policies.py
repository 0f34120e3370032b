"""The policy's versions as the page and the API show them."""

from collections.abc import Mapping
from typing import Any, Final, cast

from infra.dashboard import views
from infra.dashboard.versions import Act, Versions

_ACTS: Final = 12


def policies(versions: Versions) -> views.Policies:
    serving = versions.serving
    return views.Policies(
        serving=serving.current.number,
        sha256=serving.current.sha256,
        held=serving.held,
        previous=None if serving.previous is None else serving.previous.number,
        versions=[_version(versions, act) for act in versions.made()],
        acts=[views.ActView.model_validate(act) for act in reversed(versions.acts[-_ACTS:])],
        rejected=dict(versions.rejected),
    )


def _version(versions: Versions, act: Act) -> views.Version:
    domain = act.evidence.get("domain")
    return views.Version(
        number=act.number,
        parent=act.parent,
        sha256=act.sha256,
        domain=None if domain is None else str(domain),
        at=act.at,
        by=act.by,
        status=versions.mark(act.sha256),
        refused=act.refused,
        log_likelihood=_gain(act.evidence.get("log_likelihood")),
        reward=_gain(act.evidence.get("reward")),
        evidence=dict(act.evidence),
    )


def _gain(found: Any) -> views.Gain | None:
    if not isinstance(found, Mapping):
        return None
    told = cast(Mapping[str, Any], found)
    return views.Gain(gain=_number(told, "gain"), lower=_number(told, "lower"), entities=_number(told, "entities"))


def _number(told: Mapping[str, Any], name: str) -> float | None:
    value = told.get(name)
    return float(value) if isinstance(value, int | float) else None
