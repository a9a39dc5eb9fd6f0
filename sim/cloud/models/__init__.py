"""Models for the far end's recognizers: where they are, how they get there, and a small one made at home."""
