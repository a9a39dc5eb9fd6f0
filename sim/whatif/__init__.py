"""What if: the same evening with one thing different, to see which safeguard would have stopped it."""
