"""segkit: classical image segmentation, every method giving a label image."""

from . import metrics, panoptic
from ._files import read_image, read_labels, write_image, write_labels
from ._joining import felzenszwalb, statistical_region_merging
from .chains import HiddenMarkovChainSegmenter
from .classification import KNNSegmenter, PixelClassifier
from .clustering import KMeansSegmenter
from .cnn import CNNSegmenter
from .comparison import METHODS, Comparison, compare, segment
from .features import pixel_features
from .flooding import WatershedTree, watershed, watershed_tree
from .graphs import RegionGraph, region_graph, split_region
from .growing import find_seeds, region_growing
from .labels import connected_components, join, masks, relabel, remove_small
from .measuring import mean_image, regions
from .merging import MergeTree, merge_regions, merge_tree
from .mixtures import GaussianMixtureSegmenter
from .outlining import boundaries
from .quadtrees import Quadtree, quadtree, split_and_merge
from .random_field import MarkovRandomFieldSegmenter, potts_energy, regularize
from .relief import boundary_strength, gradient, local_minima
from .scans import hilbert_scan

__version__ = "0.1.0"

__all__ = [
    "METHODS",
    "CNNSegmenter",
    "Comparison",
    "GaussianMixtureSegmenter",
    "HiddenMarkovChainSegmenter",
    "KMeansSegmenter",
    "KNNSegmenter",
    "MarkovRandomFieldSegmenter",
    "MergeTree",
    "PixelClassifier",
    "Quadtree",
    "RegionGraph",
    "WatershedTree",
    "boundaries",
    "boundary_strength",
    "compare",
    "connected_components",
    "felzenszwalb",
    "find_seeds",
    "gradient",
    "hilbert_scan",
    "join",
    "local_minima",
    "masks",
    "mean_image",
    "merge_regions",
    "merge_tree",
    "metrics",
    "panoptic",
    "pixel_features",
    "potts_energy",
    "quadtree",
    "read_image",
    "read_labels",
    "region_graph",
    "region_growing",
    "regions",
    "regularize",
    "relabel",
    "remove_small",
    "segment",
    "split_and_merge",
    "split_region",
    "statistical_region_merging",
    "watershed",
    "watershed_tree",
    "write_image",
    "write_labels",
]
