"""From simulated films to weights: truth, patches on disk, appearance, losses, MONAI engines.

`truth` reads one film, `patches` and `crops` cut what the networks learn from, `shards` keeps that
on disk, `appearance` changes its look at every step, `losses` says what is wanted, `engine` trains.
The detector that turns attenuation into a picture comes from the caller, since `vision` does not
import `simulate`.
"""
