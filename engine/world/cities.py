"""Cities where peers are placed: name, latitude and longitude in degrees, and a weight.

The weight is the city's share of the swarm, roughly in thousandths: each continent has its share of the people who are
on line, divided among its cities. The weights are chosen for a plausible map and are not a census; a few cities are in
the list so that no region of the map is empty.
"""

from __future__ import annotations

CITIES: tuple[tuple[str, float, float, float], ...] = (
    # North America
    ("New York", 40.71, -74.01, 32),
    ("Los Angeles", 34.05, -118.24, 28),
    ("San Francisco", 37.77, -122.42, 16),
    ("Chicago", 41.88, -87.63, 18),
    ("Dallas", 32.78, -96.80, 16),
    ("Miami", 25.76, -80.19, 12),
    ("Seattle", 47.61, -122.33, 9),
    ("Denver", 39.74, -104.99, 7),
    ("Toronto", 43.65, -79.38, 14),
    ("Vancouver", 49.28, -123.12, 6),
    ("Mexico City", 19.43, -99.13, 22),
    # South America
    ("São Paulo", -23.55, -46.63, 30),
    ("Rio de Janeiro", -22.91, -43.17, 12),
    ("Buenos Aires", -34.60, -58.38, 14),
    ("Santiago", -33.45, -70.67, 8),
    ("Bogotá", 4.71, -74.07, 12),
    ("Lima", -12.05, -77.04, 9),
    ("Caracas", 10.48, -66.90, 6),
    # Europe
    ("London", 51.51, -0.13, 24),
    ("Paris", 48.86, 2.35, 20),
    ("Berlin", 52.52, 13.41, 16),
    ("Frankfurt", 50.11, 8.68, 12),
    ("Amsterdam", 52.37, 4.90, 12),
    ("Madrid", 40.42, -3.70, 13),
    ("Lisbon", 38.72, -9.14, 6),
    ("Rome", 41.90, 12.50, 14),
    ("Vienna", 48.21, 16.37, 7),
    ("Prague", 50.08, 14.44, 6),
    ("Warsaw", 52.23, 21.01, 10),
    ("Stockholm", 59.33, 18.07, 8),
    ("Helsinki", 60.17, 24.94, 4),
    ("Reykjavik", 64.15, -21.94, 1),
    ("Dublin", 53.35, -6.26, 4),
    ("Athens", 37.98, 23.73, 5),
    ("Bucharest", 44.43, 26.10, 7),
    ("Kyiv", 50.45, 30.52, 9),
    ("Moscow", 55.76, 37.62, 22),
    ("Istanbul", 41.01, 28.98, 17),
    # Africa
    ("Cairo", 30.04, 31.24, 17),
    ("Casablanca", 33.57, -7.59, 8),
    ("Lagos", 6.52, 3.38, 20),
    ("Accra", 5.60, -0.19, 6),
    ("Nairobi", -1.29, 36.82, 9),
    ("Johannesburg", -26.20, 28.05, 12),
    ("Cape Town", -33.92, 18.42, 5),
    # Asia
    ("Tel Aviv", 32.09, 34.78, 5),
    ("Dubai", 25.20, 55.27, 9),
    ("Tehran", 35.69, 51.39, 14),
    ("Karachi", 24.86, 67.01, 14),
    ("Mumbai", 19.08, 72.88, 36),
    ("Delhi", 28.61, 77.21, 34),
    ("Bangalore", 12.97, 77.59, 20),
    ("Dhaka", 23.81, 90.41, 14),
    ("Bangkok", 13.76, 100.50, 16),
    ("Singapore", 1.35, 103.82, 12),
    ("Jakarta", -6.21, 106.85, 28),
    ("Manila", 14.60, 120.98, 20),
    ("Hong Kong", 22.32, 114.17, 12),
    ("Shanghai", 31.23, 121.47, 40),
    ("Beijing", 39.90, 116.41, 36),
    ("Taipei", 25.03, 121.57, 12),
    ("Seoul", 37.57, 126.98, 22),
    ("Tokyo", 35.68, 139.69, 34),
    # Oceania
    ("Sydney", -33.87, 151.21, 10),
    ("Melbourne", -37.81, 144.96, 8),
    ("Perth", -31.95, 115.86, 3),
    ("Auckland", -36.85, 174.76, 4),
)
