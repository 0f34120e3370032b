"""What a number or a name in a record may be: its type, its bounds, and its unit."""

from typing import Annotated

from msgspec import Meta

Id = Annotated[str, Meta(min_length=1, max_length=256)]
Money = Annotated[float, Meta(ge=0, le=1e12, description="in the shop's currency")]
Quantity = Annotated[float, Meta(ge=0, le=1e9, description="units of the item")]
Days = Annotated[float, Meta(ge=0, le=3650)]
Weight = Annotated[float, Meta(ge=0, le=1e6)]

FillRate = Annotated[
    float, Meta(ge=0, le=0.999, description="share of the units wanted to be sold at least; 0: as the costs have it")
]
Overspend = Annotated[
    float,
    Meta(ge=0.0, le=1.0, description="share of the budget that bids in flight may pass it by, which is rare; 0: never"),
]
