"""The protocol of PETS 2020 ("When Speakers Are All Ears"): its data, and the same on media of one's own."""
