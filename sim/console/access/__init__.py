"""Who may in: accounts, passwords, the second factor, sessions, and how often somebody may try."""
