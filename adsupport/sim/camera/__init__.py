"""The simulated camera: its settings, the images it makes and their region."""
