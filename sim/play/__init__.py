"""Playing a scenario: the home on one side, the devices in the middle, the far end on the other, in lockstep."""
