"""segkit: classical image segmentation, every method giving a label image."""

from ._files import read_image, read_labels, write_image, write_labels

__version__ = "0.1.0"

__all__ = ["read_image", "read_labels", "write_image", "write_labels"]
