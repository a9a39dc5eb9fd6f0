"""Everything around the device: the home, the far end, the review desk, the lab, the reports."""
