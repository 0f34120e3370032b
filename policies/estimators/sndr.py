"""Self-normalised doubly robust: the residuals' weights are divided by their sum.

Thomas and Brunskill, Data-efficient off-policy policy evaluation, 2016.
"""

from dataclasses import replace
from typing import Final

from policies.estimators.dr import DR

SNDR: Final = replace(DR, name="sndr", normalised=True)
