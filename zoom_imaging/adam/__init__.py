"""Analysis datasets of the trial in CDISC's ADaM form, and the metadata that describes them."""
