"""Words that made-up texts are of, and what a field's name tells of its text. Data only.

Nobody is meant: addresses are of `example.com` (RFC 2606), phone numbers of the range that is kept
for fiction (NANP 555-01xx), IP addresses of documentation (RFC 5737).
"""

from __future__ import annotations

from typing import Final

FIRST: Final = (
    *("Ada", "Alan", "Barbara", "Claude", "Edsger", "Frances", "Grace", "Hedy", "Ida", "Jean"),
    *("Katherine", "Linus", "Margaret", "Niklaus", "Radia", "Sofia", "Tim", "Vera"),
)
LAST: Final = (
    *("Adams", "Baker", "Clark", "Diaz", "Evans", "Fischer", "Garcia", "Hansen", "Ito", "Jensen"),
    *("Kim", "Lopez", "Meyer", "Novak", "Okafor", "Patel", "Rossi", "Silva"),
)
ADJECTIVES: Final = (
    *("Blue", "Bright", "Calm", "Clever", "Green", "Handy", "Light", "Little", "Quick", "Quiet"),
    *("Red", "Round", "Silver", "Small", "Soft", "Steady", "Sunny", "Warm"),
)
NOUNS: Final = (
    *("Basket", "Bicycle", "Blanket", "Bottle", "Chair", "Clock", "Cup", "Garden", "Harbour"),
    *("Kettle", "Lamp", "Ladder", "Notebook", "Pencil", "River", "Shelf", "Table", "Window"),
)
SENTENCES: Final = (
    "Made for every day, and easy to care for.",
    "It does what it should, and no more.",
    "Arrived early, works as described.",
    "Small enough for a bag, large enough for a week.",
    "Please see the notes before first use.",
    "Liked by most who tried it.",
    "A second one was ordered the same day.",
    "Simple, quiet, and built to last.",
)
CITIES: Final = (
    *("Amsterdam", "Berlin", "Bologna", "Bruges", "Dublin", "Graz", "Helsinki", "Kyoto", "Lisbon"),
    *("Lyon", "Nairobi", "Oslo", "Porto", "Quito", "Seville", "Toronto", "Utrecht", "Zurich"),
)
COUNTRIES: Final = (
    ("AT", "Austria"),
    ("BR", "Brazil"),
    ("CA", "Canada"),
    ("DE", "Germany"),
    ("ES", "Spain"),
    ("FR", "France"),
    ("IE", "Ireland"),
    ("IT", "Italy"),
    ("JP", "Japan"),
    ("KE", "Kenya"),
    ("NL", "Netherlands"),
    ("PT", "Portugal"),
)
STREETS: Final = ("Station Road", "Mill Lane", "High Street", "Park Avenue", "Church Street")
COLOURS: Final = ("blue", "green", "grey", "orange", "red", "white", "yellow")
TAGS: Final = (
    *("new", "sale", "garden", "kitchen", "outdoor", "gift", "classic", "small", "home", "travel"),
)
LANGUAGES: Final = ("de", "en", "es", "fr", "it", "ja", "nl", "pt")
CURRENCY: Final = "EUR"
TIME_ZONES: Final = ("Europe/Berlin", "Europe/Lisbon", "America/Toronto", "Asia/Tokyo", "UTC")
MIME_TYPES: Final = ("application/json", "application/pdf", "image/png", "text/plain")
