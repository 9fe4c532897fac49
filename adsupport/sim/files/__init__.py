"""Files as areaDetector's plugins write and read them: images, and lists of bad pixels."""
