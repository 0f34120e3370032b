"""What each estimator and interval is, and what it takes for granted: the notes at the end of a report."""

from collections.abc import Iterable
from typing import Final

ESTIMATORS: Final = {
    "logged": "The mean of what was earned, for a policy that decides exactly as was logged.",
    "cascade-dr": (
        "Cascade doubly robust (Kiyohara and others 2022): what a reward model expects of each slot, corrected by "
        "what was earned there, weighed by how much likelier the policy fills the slots down to it. Takes for granted "
        "that a slot's reward hangs on its own item and those above; right if either the propensities or the model are."
    ),
    "pddr": "Per-decision doubly robust (Jiang and Li 2016): the same along a sequence of decisions.",
    "rips": (
        "Reward-interaction IPS (McInerney and others 2020): each slot's reward, weighed by the propensities down to "
        "it. No model; takes for granted that a slot's reward hangs on its own item and those above."
    ),
    "iips": (
        "Independent IPS (Li and others 2018): each slot weighed by its own propensity. Takes for granted that a "
        "slot's reward hangs on its own item alone."
    ),
    "pi": (
        "Pseudo-inverse (Swaminathan and others 2017): takes for granted that the slate's reward is a sum over slots, "
        "and that slots were filled independently, which slates without repeats aren't: read it as a check."
    ),
    "ips": (
        "Inverse propensity score (Horvitz and Thompson 1952), by whole slates: takes nothing for granted, and is the "
        "widest."
    ),
    "snips": "Self-normalised IPS (Swaminathan and Joachims 2015): weights divided by their sum.",
    "clipped-ips": "IPS with weights cut at a limit (Ionides 2008): biased downwards, less spread.",
    "dm": "Direct method: the reward model alone. As wrong as the model is.",
    "dr": "Doubly robust (Dudík, Langford and Li 2011): the model, corrected by weighed errors.",
    "sndr": "DR with weights divided by their mean (Thomas and Brunskill 2016).",
    "switch-dr": "DR where weights are small, the model elsewhere (Wang, Agarwal and Dudík 2017).",
    "dros": "DR with shrunk weights (Su and others 2020).",
    "mrdr": "DR with a model fitted for least variance (Farajtabar and others 2018).",
}
INTERVALS: Final = {
    "empirical-likelihood": (
        "Empirical likelihood (Karampatziakis, Langford and Mineiro 2020): knows that weights are 1 on average, and "
        "allows for a large weight that the log happened not to show. Entities count as one draw."
    ),
    "asymptotic": "Normal, by the delta method: too narrow where a few weights are large.",
    "bootstrap": "Poisson bootstrap over entities, percentile.",
    "empirical-bernstein": "Empirical Bernstein (Maurer and Pontil 2009).",
    "confidence-sequence": (
        "Confidence sequence (Waudby-Smith and others 2022): may be looked at again and again while the log grows."
    ),
}


def notes(given: Iterable[str], known: dict[str, str]) -> list[tuple[str, str]]:
    """Name and note of each, in order; one that isn't known stands with what it says itself."""
    return [(name, known.get(name, "")) for name in dict.fromkeys(given) if name]
