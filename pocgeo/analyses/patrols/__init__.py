"""Patrols: where to go, in which order, by which way; and whether a plan was carried out."""
