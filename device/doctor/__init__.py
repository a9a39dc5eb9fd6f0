"""What a helper would ask for: each thing that a device needs, whether it is well, and the mend."""
