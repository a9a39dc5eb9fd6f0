"""What a device has to do with the rest of its home: Home Assistant, Rhasspy, wyoming, and pins of the Pi itself."""
