"""The priors that ship with the package, as `tradewind policies pretrain` made them."""

from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parent
