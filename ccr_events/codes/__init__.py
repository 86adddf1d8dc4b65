"""Code lists of the contract: published lists by the family they come from, and the domain's own by chapter."""
