"""The pages of the console, one file each; none of them holds SQL."""
