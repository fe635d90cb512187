"""What the look-alike knows of Singapore: rounded shares, levels and years, one line per category."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Town:
    """Share of sales in thousandths; SGD per m² around 2019; middle and spread of the lease years."""

    name: str
    road: str
    sales: int
    price: int
    lease: int
    spread: float
    streets: int


TOWNS = (
    Town("ANG MO KIO", "ANG MO KIO", 42, 4900, 1981, 7.0, 17),
    Town("BEDOK", "BEDOK", 54, 4900, 1981, 8.0, 25),
    Town("BISHAN", "BISHAN", 19, 5900, 1988, 5.0, 10),
    Town("BUKIT BATOK", "BT BATOK", 33, 4250, 1987, 6.0, 23),
    Town("BUKIT MERAH", "BT MERAH", 38, 6400, 1988, 14.0, 43),
    Town("BUKIT PANJANG", "BT PANJANG", 39, 4150, 2000, 9.0, 14),
    Town("BUKIT TIMAH", "BT TIMAH", 3, 6900, 1986, 7.0, 4),
    Town("CENTRAL AREA", "CTRL", 8, 7200, 1986, 12.0, 20),
    Town("CHOA CHU KANG", "CHOA CHU KANG", 46, 3600, 2000, 9.0, 25),
    Town("CLEMENTI", "CLEMENTI", 23, 5400, 1984, 12.0, 15),
    Town("GEYLANG", "GEYLANG", 25, 5200, 1984, 12.0, 26),
    Town("HOUGANG", "HOUGANG", 49, 4400, 1992, 10.0, 28),
    Town("JURONG EAST", "JURONG EAST", 21, 4500, 1986, 8.0, 9),
    Town("JURONG WEST", "JURONG WEST", 66, 3800, 1996, 9.0, 39),
    Town("KALLANG/WHAMPOA", "WHAMPOA", 30, 5700, 1986, 13.0, 39),
    Town("MARINE PARADE", "MARINE PARADE", 6, 6600, 1975, 1.0, 4),
    Town("PASIR RIS", "PASIR RIS", 31, 4050, 1994, 8.0, 17),
    Town("PUNGGOL", "PUNGGOL", 73, 4300, 2012, 4.5, 14),
    Town("QUEENSTOWN", "QUEENSTOWN", 29, 6500, 1994, 16.0, 20),
    Town("SEMBAWANG", "SEMBAWANG", 25, 3500, 2003, 6.0, 15),
    Town("SENGKANG", "SENGKANG", 85, 4050, 2008, 6.0, 29),
    Town("SERANGOON", "SERANGOON", 19, 5200, 1987, 6.0, 11),
    Town("TAMPINES", "TAMPINES", 67, 4750, 1990, 9.0, 37),
    Town("TOA PAYOH", "TOA PAYOH", 32, 5300, 1986, 14.0, 19),
    Town("WOODLANDS", "WOODLANDS", 69, 3600, 1997, 8.0, 38),
    Town("YISHUN", "YISHUN", 68, 4050, 1991, 10.0, 23),
)


@dataclass(frozen=True, slots=True)
class FlatModel:
    """A model of a flat type: relative weight, m² and their spread, lease years, premium in ln(price).

    The lease begins in [first, last).
    """

    name: str
    flat_type: str
    weight: float
    area: float
    spread: float
    first: float
    last: float
    premium: float


MODELS = (
    FlatModel("Improved", "1 ROOM", 0.4, 31, 0.0, 1966, 1978, -0.05),
    FlatModel("Improved", "2 ROOM", 10, 45, 2.5, 1966, 1986, -0.03),
    FlatModel("Model A", "2 ROOM", 25, 47, 0.8, 2010, 2020, 0.02),
    FlatModel("2-room", "2 ROOM", 60, 47, 0.6, 2017, 2020, 0.05),
    FlatModel("Improved", "3 ROOM", 60, 61, 4.0, 1966, 1986, -0.04),
    FlatModel("New Generation", "3 ROOM", 150, 68, 3.0, 1976, 1988, -0.02),
    FlatModel("Standard", "3 ROOM", 30, 59, 4.5, 1967, 1978, -0.06),
    FlatModel("Simplified", "3 ROOM", 25, 65, 2.0, 1984, 1990, 0.0),
    FlatModel("Model A", "3 ROOM", 40, 68, 4.0, 1978, 2020, 0.02),
    FlatModel("Terrace", "3 ROOM", 4, 95, 18.0, 1968, 1973, 0.55),
    FlatModel("New Generation", "4 ROOM", 40, 93, 3.0, 1976, 1990, -0.02),
    FlatModel("Simplified", "4 ROOM", 50, 85, 2.5, 1984, 2000, 0.0),
    FlatModel("Model A", "4 ROOM", 210, 96, 7.0, 1980, 2020, 0.0),
    FlatModel("Model A2", "4 ROOM", 25, 89, 2.5, 1997, 2005, -0.03),
    FlatModel("Premium Apartment", "4 ROOM", 70, 92, 3.5, 1996, 2019, 0.05),
    FlatModel("Premium Apartment Loft", "4 ROOM", 4, 94, 6.0, 2011, 2017, 0.40),
    FlatModel("DBSS", "4 ROOM", 30, 88, 4.0, 2008, 2016, 0.30),
    FlatModel("Type S1", "4 ROOM", 30, 94, 1.0, 2011, 2012, 0.55),
    FlatModel("Improved", "5 ROOM", 130, 116, 6.0, 1974, 2020, 0.0),
    FlatModel("Standard", "5 ROOM", 10, 119, 3.0, 1974, 1985, 0.02),
    FlatModel("Premium Apartment", "5 ROOM", 50, 112, 3.5, 1996, 2018, 0.04),
    FlatModel("Improved-Maisonette", "5 ROOM", 6, 133, 4.0, 1983, 1984, 0.08),
    FlatModel("Model A-Maisonette", "5 ROOM", 20, 140, 5.0, 1983, 1986, 0.09),
    FlatModel("Adjoined flat", "5 ROOM", 2, 135, 9.0, 1967, 1989, 0.02),
    FlatModel("DBSS", "5 ROOM", 34, 106, 3.0, 2008, 2016, 0.27),
    FlatModel("Type S2", "5 ROOM", 20, 106, 1.0, 2011, 2012, 0.55),
    FlatModel("3Gen", "5 ROOM", 300, 118, 2.0, 2019.5, 2020, 0.04),
    FlatModel("Apartment", "EXECUTIVE", 50, 143, 5.0, 1984, 2004, 0.05),
    FlatModel("Maisonette", "EXECUTIVE", 40, 147, 6.0, 1984, 2001, 0.09),
    FlatModel("Premium Maisonette", "EXECUTIVE", 5, 147, 5.0, 1997, 1999, 0.09),
    FlatModel("Multi Generation", "MULTI-GENERATION", 20, 163, 10.0, 1987, 1989, 0.13),
)

# Usual sales a month by year, and the two months in which the sales offices were shut.
SALES_A_MONTH = {2017: 1700, 2018: 1800, 2019: 1850, 2020: 2250, 2021: 2400, 2022: 2250}
LULL = {"2020-04": 420, "2020-05": 360}

# The market, 1 in 2020-01; straight lines between.
MARKET = {
    "2017-01": 1.02, "2018-01": 1.01, "2019-01": 1.00, "2020-01": 1.00, "2020-06": 1.01,
    "2020-12": 1.06, "2021-06": 1.13, "2021-12": 1.20, "2022-06": 1.255, "2022-12": 1.31,
}  # fmt: skip
