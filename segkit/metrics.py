"""Measures: how good a segmentation is, against a reference or by itself.

Partition measures compare two label images region by region, whatever the
regions are called; label 0 is a region like any other unless `ignore` names it.
Instance measures match objects one to one; 0 is background.

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
from ._contingency import ContingencyTable, contingency
from ._instances import (
    InstanceMatches,
    PanopticQuality,
    average_precision,
    match_instances,
    panoptic_quality,
)
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
    "adapted_rand_error",
    "adjusted_rand_index",
    "average_precision",
    "boundary_counts",
    "boundary_pixels",
    "boundary_scores",
    "contingency",
    "match_boundaries",
    "match_instances",
    "normalized_mutual_information",
    "optimal_boundary_scores",
    "optimal_covering",
    "optimal_scores",
    "panoptic_quality",
    "rand_index",
    "region_overlaps",
    "segmentation_covering",
    "variation_of_information",
]
