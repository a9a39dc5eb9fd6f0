"""From a clip on the device to a receipt from the far end."""
