"""From reviewed clips back into the device: a threshold, a second look, a data set; and whether it helps."""
