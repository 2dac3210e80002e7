"""How many accidents each edition holds as published."""

from collections.abc import Mapping

PUBLISHED_ACCIDENTS: Mapping[int, int] = {
    2009: 74_409,
    2010: 69_379,
    2011: 66_974,
    2012: 62_250,
    2013: 58_397,
    2014: 59_854,
    2015: 58_654,
    2016: 59_432,
    2017: 60_701,
    2018: 57_783,
    2019: 58_840,
    2020: 47_744,
    2021: 56_518,
    2022: 55_302,
    2023: 54_822,
    2024: 54_402,
}
"""Accidents by year: counted on the official `lieux` files; 2019, 2020, 2022 and 2023 as ONISR reports them."""
