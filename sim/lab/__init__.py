"""The lab: how often, which words, and how sure."""
