"""Homes by the thousand over simulated days, of which short stretches are played and weighted back to the whole."""
