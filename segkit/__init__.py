"""segkit: classical image segmentation, every method giving a label image."""

__version__ = "0.1.0"
