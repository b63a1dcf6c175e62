"""Measures: how good a segmentation is, against a reference or by itself.

Partition measures compare two label images region by region, whatever the
regions are called; label 0 is a region like any other unless `ignore` names it.
Instance measures match objects one to one; 0 is background.
Boundary measures look at outlines only, with a tolerance; mask measures compare
two masks.  Class measures compare pixel by pixel, and leave out those whose truth
is 0.

A measure of a perfect answer is exactly 1 (or exactly 0, for a distance or an
error), also without a pixel.  All return Python floats, or named tuples of them.
"""

from ._boundary_scores import (
    BoundaryCounts,
    BoundaryScores,
    boundary_counts,
    boundary_pixels,
    boundary_scores,
    match_boundaries,
)
from ._class_scores import (
    boundary_f1,
    class_accuracy,
    confusion_matrix,
    iou_per_class,
    mean_iou,
    pixel_accuracy,
)
from ._contingency import ContingencyTable, contingency
from ._instances import (
    InstanceMatches,
    PanopticQuality,
    average_precision,
    match_instances,
    panoptic_quality,
)
from ._mask_scores import dice, hausdorff, jaccard
from ._optimal_scales import (
    OptimalBoundaryScores,
    OptimalCovering,
    OptimalScores,
    optimal_boundary_scores,
    optimal_covering,
    optimal_scores,
)
from ._partitions import (
    AdaptedRandError,
    RegionOverlaps,
    VariationOfInformation,
    adapted_rand_error,
    adjusted_rand_index,
    normalized_mutual_information,
    rand_index,
    region_overlaps,
    segmentation_covering,
    variation_of_information,
)
from ._superpixels import (
    achievable_accuracy,
    compactness,
    explained_variation,
    undersegmentation_error,
)

__all__ = [
    "AdaptedRandError",
    "BoundaryCounts",
    "BoundaryScores",
    "ContingencyTable",
    "InstanceMatches",
    "OptimalBoundaryScores",
    "OptimalCovering",
    "OptimalScores",
    "PanopticQuality",
    "RegionOverlaps",
    "VariationOfInformation",
    "achievable_accuracy",
    "adapted_rand_error",
    "adjusted_rand_index",
    "average_precision",
    "boundary_counts",
    "boundary_f1",
    "boundary_pixels",
    "boundary_scores",
    "class_accuracy",
    "compactness",
    "confusion_matrix",
    "contingency",
    "dice",
    "explained_variation",
    "hausdorff",
    "iou_per_class",
    "jaccard",
    "match_boundaries",
    "match_instances",
    "mean_iou",
    "normalized_mutual_information",
    "optimal_boundary_scores",
    "optimal_covering",
    "optimal_scores",
    "panoptic_quality",
    "pixel_accuracy",
    "rand_index",
    "region_overlaps",
    "segmentation_covering",
    "undersegmentation_error",
    "variation_of_information",
]
