"""The far end: what receives, stores and tries to understand."""
