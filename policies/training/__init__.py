"""How the priors that ship with the package are meta-trained, one file a domain, from a seed."""
