"""Measures: how good a segmentation is, against a reference or by itself."""

from ._boundary_scores import (
    BoundaryCounts,
    BoundaryScores,
    boundary_counts,
    boundary_pixels,
    boundary_scores,
    match_boundaries,
)
from ._optimal_scales import (
    OptimalBoundaryScores,
    OptimalCovering,
    OptimalScores,
    optimal_boundary_scores,
    optimal_covering,
    optimal_scores,
)

__all__ = [
    "BoundaryCounts",
    "BoundaryScores",
    "OptimalBoundaryScores",
    "OptimalCovering",
    "OptimalScores",
    "boundary_counts",
    "boundary_pixels",
    "boundary_scores",
    "match_boundaries",
    "optimal_boundary_scores",
    "optimal_covering",
    "optimal_scores",
]
