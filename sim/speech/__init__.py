"""Speech: voices that read lines aloud, and the lines that ship with the program."""
