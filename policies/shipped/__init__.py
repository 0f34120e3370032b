"""The priors that ship with the package, as `tradewind policies pretrain` made them."""
