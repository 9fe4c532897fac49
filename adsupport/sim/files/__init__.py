"""Image files of one frame or several, as areaDetector's file plugins write them."""
