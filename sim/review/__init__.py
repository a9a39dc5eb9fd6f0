"""The people who listen: what is drawn for them, what they see, what they do with it, and the log of it all."""
