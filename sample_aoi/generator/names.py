"""Invented names. Any likeness to a real place, people or party is chance."""

__all__ = ["ACTORS", "ANCHORED_VILLAGES", "COUNTRY", "HAMLETS", "TOWNS", "VILLAGES"]

COUNTRY = "Ilhara"
TOWNS = (
    # name, kind, rough longitude and latitude, people
    ("Port Veral", "city", 4.20, 1.58, 238_000),
    ("Doruna", "town", 3.74, 1.66, 61_000),
    ("Kessam", "town", 4.62, 1.98, 48_000),
    ("Talvo", "town", 4.02, 2.00, 39_000),
    ("Immarit", "town", 3.72, 2.47, 31_000),
    ("Orseth", "town", 3.40, 1.79, 27_000),
    ("Sarnou", "town", 4.80, 2.26, 26_000),
    ("Belquor", "town", 4.33, 2.05, 22_000),
    ("Lumbry", "town", 4.56, 1.66, 19_000),
    ("Quessat", "town", 4.36, 2.61, 17_000),
)
ANCHORED_VILLAGES = (
    # name, rough longitude and latitude: the story of the incidents needs these where they are
    ("Ulmaque", 4.03, 2.27), ("Jorvand", 4.26, 2.13), ("Mervault", 3.60, 1.99),
    ("Fonquelle", 3.92, 2.08), ("Sennoud", 4.36, 1.69), ("Farrault", 3.60, 2.47),
    ("Wendrou", 3.76, 2.40), ("Vastrel", 3.93, 2.53), ("Kelmora", 4.66, 2.46),
    ("Gendary", 3.88, 1.60), ("Kurvelle", 3.80, 1.78), ("Adrevo", 3.82, 1.95),
    ("Lasquin", 4.87, 2.08), ("Jesquade", 4.70, 2.20), ("Nolqua", 3.20, 2.06),
    ("Bastoule", 3.30, 2.24),
)  # fmt: skip
VILLAGES = (
    "Ambessin", "Arquen", "Bervane", "Cadroun", "Corvale", "Dessimar", "Elquin", "Harvissa",
    "Isquelle", "Oustel", "Perquin", "Quandry", "Rasvelle", "Torvessa", "Yssolt",
)  # fmt: skip
HAMLETS = (
    "Far Islet Landing", "East Islet Cove", "Little Islet", "Abbarou", "Brisquen", "Chelvane",
    "Dunquer", "Esprault", "Grevas", "Hulmond", "Ivrasse", "Lendrac", "Morquin", "Nesvault",
    "Orquelet", "Pravenne", "Rudissan", "Soquart", "Tesquade",
)  # fmt: skip
ACTORS = {
    "state_forces": ("Government of Ilhara", "Ilhara Gendarmerie"),
    "non_state_armed_group": ("Ridge Front", "Ridge Front (Second Column)"),
    "extremist_group": ("Covenant of Ash",),
    "self_defence_group": ("Talvo Home Guard", "Doruna Night Watch"),
    "community": ("Upper Plain Communal Militia", "Lower Plain Communal Militia"),
    "criminal": ("Unidentified Armed Robbers", "Harbour Gang"),
    "explosive_ordnance": ("Explosive remnants of war",),
    "unknown": ("Unidentified Armed Group",),
}
