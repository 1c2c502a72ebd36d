"""Simulated patients: three-dimensional spines, fractured, posed, projected and exposed.

Films made here carry exact truth (outline, six points, heights, grade, state) and are used for
training, for tests and for the sample trial. Nothing here takes part in reading real films.
"""
