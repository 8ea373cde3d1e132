"""The words that the seeded shop is made of: tables only."""

CATEGORIES = {
    "categories": "Everything",
    "categories/garden": "Garden",
    "categories/garden/tools": "Garden tools",
    "categories/garden/plants": "Plants",
    "categories/kitchen": "Kitchen",
    "categories/kitchen/knives": "Knives",
    "categories/kitchen/pots": "Pots and pans",
    "categories/books": "Books",
    "categories/books/novels": "Novels",
    "categories/books/guides": "Guides",
    "categories/toys": "Toys",
    "categories/toys/wooden": "Wooden toys",
    "categories/toys/outdoor": "Outdoor toys",
    "categories/home": "Home",
    "categories/home/lamps": "Lamps",
    "categories/home/gifts": "Gifts",
}

# By category: title, price in cents, brand, kind of delivery.
GOODS: dict[str, list[tuple[str, int, str, str]]] = {
    "categories/garden/tools": [
        ("Pruning shears", 2490, "Oakline", "parcel"),
        ("Digging spade", 3995, "Oakline", "parcel"),
        ("Leaf rake", 1850, "Oakline", "parcel"),
        ("Watering can", 2200, "Brook & Son", "parcel"),
        ("Hedge trimmer", 8900, "Voltano", "parcel"),
        ("Hand trowel", 950, "Oakline", "parcel"),
    ],
    "categories/garden/plants": [
        ("Lavender", 590, "Greenhouse 7", "parcel"),
        ("Olive tree", 4900, "Greenhouse 7", "parcel"),
        ("Climbing rose", 1690, "Greenhouse 7", "parcel"),
        ("Herb basket", 1250, "Greenhouse 7", "parcel"),
        ("Japanese maple", 6450, "Greenhouse 7", "parcel"),
        ("Tulip bulbs", 890, "Van Dam", "parcel"),
    ],
    "categories/kitchen/knives": [
        ("Chef's knife", 7900, "Solis", "parcel"),
        ("Bread knife", 4500, "Solis", "parcel"),
        ("Paring knife", 1900, "Solis", "parcel"),
        ("Santoku knife", 8600, "Hamada", "parcel"),
        ("Oyster knife", 1450, "Brook & Son", "parcel"),
        ("Sharpening stone", 3200, "Hamada", "parcel"),
    ],
    "categories/kitchen/pots": [
        ("Cast iron pan", 5400, "Fornello", "parcel"),
        ("Stock pot", 6200, "Fornello", "parcel"),
        ("Copper saucepan", 11900, "Fornello", "parcel"),
        ("Steel wok", 3700, "Hamada", "parcel"),
        ("Tea kettle", 4150, "Brook & Son", "parcel"),
        ("Roasting tin", 2600, "Fornello", "parcel"),
    ],
    "categories/books/novels": [
        ("The Lighthouse Keeper's Ledger", 1299, "Harbour Press", "file"),
        ("A Winter in Trieste", 1099, "Harbour Press", "file"),
        ("The Orchard Debt", 999, "Harbour Press", "file"),
        ("Nine Letters Home", 1199, "Paper Crane", "file"),
        ("Salt Road", 899, "Paper Crane", "file"),
        ("The Glass Ferry", 1399, "Paper Crane", "file"),
    ],
    "categories/books/guides": [
        ("Pruning for Beginners", 1590, "Field Notes", "file"),
        ("Sourdough, Slowly", 1890, "Field Notes", "file"),
        ("Knots and Splices", 1250, "Field Notes", "file"),
        ("Birds of the Coast", 2100, "Field Notes", "file"),
        ("Repairing Chairs", 1750, "Field Notes", "file"),
        ("One-Pot Suppers", 1650, "Paper Crane", "file"),
    ],
    "categories/toys/wooden": [
        ("Building blocks", 2900, "Kiefer", "parcel"),
        ("Marble run", 4400, "Kiefer", "parcel"),
        ("Pull-along duck", 1700, "Kiefer", "parcel"),
        ("Toy railway", 6900, "Kiefer", "parcel"),
        ("Stacking rings", 1300, "Kiefer", "parcel"),
        ("Chess set", 3800, "Solis", "parcel"),
    ],
    "categories/toys/outdoor": [
        ("Kite", 2350, "Windwerk", "parcel"),
        ("Skipping rope", 790, "Windwerk", "parcel"),
        ("Balance bike", 9900, "Windwerk", "parcel"),
        ("Sand bucket", 650, "Kiefer", "parcel"),
        ("Frisbee", 990, "Windwerk", "parcel"),
        ("Garden swing", 5900, "Oakline", "parcel"),
    ],
    "categories/home/lamps": [
        ("Desk lamp", 5600, "Lumen Hall", "parcel"),
        ("Paper lantern", 1450, "Hamada", "parcel"),
        ("Reading light", 2990, "Lumen Hall", "parcel"),
        ("Floor lamp", 12900, "Lumen Hall", "parcel"),
        ("Night light", 1150, "Lumen Hall", "parcel"),
        ("Storm lantern", 3300, "Brook & Son", "parcel"),
    ],
    "categories/home/gifts": [
        ("Gift card, small", 2500, "The Shop", "card"),
        ("Gift card, large", 10000, "The Shop", "card"),
        ("Wrapping set", 850, "Paper Crane", "parcel"),
        ("Candle box", 1950, "Lumen Hall", "parcel"),
        ("Tea sampler", 1690, "Brook & Son", "parcel"),
        ("Photo album", 2750, "Paper Crane", "parcel"),
    ],
}

PEOPLE = [
    "Ada Brandt", "Ben Okafor", "Clara Novak", "Dimitri Ivanov", "Elif Yilmaz",
    "Farid Haddad", "Greta Lindqvist", "Hugo Marchetti", "Ines Duarte", "Jonas Weber",
    "Keiko Tanaka", "Liam O'Brien", "Mina Park", "Noor Rahman", "Oskar Nilsson",
    "Priya Nair", "Quentin Leroy", "Rosa Jimenez", "Samuel Cohen", "Tereza Horak",
]  # fmt: skip

# City, and hours that a parcel takes from there.
WAREHOUSES = [("Hamburg", 24), ("Lyon", 48), ("Gdansk", 36)]

OPINIONS = [
    (5, "Would buy again", "Exactly what I was looking for, and it arrived in two days."),
    (5, "Lovely", "Well made. My neighbour has asked for one too."),
    (4, "Good", "Does what it should. The wrapping could be simpler."),
    (4, "Nearly perfect", "Good quality; the colour is a little darker than on the picture."),
    (3, "All right", "It is fine for the price."),
    (2, "Not for me", "Smaller than I thought. Returning it was easy, at least."),
    (1, "Broken", "Arrived damaged. Waiting for another one."),
]

COMMENTS = [
    "How long have you had it?",
    "Half a year now, and no complaints.",
    "Mine looks different. Is it the older model?",
    "Thank you, that helped me decide.",
    "The shop answered me within an hour.",
]

# By room: its topic, and who (by id) said what.
ROOMS: dict[str, tuple[str, list[tuple[str, str]]]] = {
    "lobby": (
        "Anything and everything",
        [
            ("u1", "Good morning!"),
            ("u2", "Morning. Is the spade back in stock?"),
            ("u6", "Friday."),
        ],
    ),
    "garden": ("When to plant what", [("u3", "Is it too early for tulips?"), ("u9", "Never.")]),
    "support": ("Ask us", []),
}
