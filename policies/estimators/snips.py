"""Self-normalised IPS: Σ w·r / Σ w. Stays within the rewards' range; its bias shrinks as 1/n.

Swaminathan and Joachims, The self-normalized estimator for counterfactual learning, 2015.
"""

from dataclasses import replace
from typing import Final

from policies.estimators.ips import IPS

SNIPS: Final = replace(IPS, name="snips", normalised=True)
