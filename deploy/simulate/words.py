"""The words of the invented shop: what it sells, and what people say about it."""

from typing import NamedTuple


class Aisle(NamedTuple):
    """A category: its nouns, the range of prices in whole currency units, and days until it is used up (0: durable)."""

    name: str
    nouns: tuple[str, ...]
    low: float
    high: float
    lasts: int = 0


AISLES = (
    Aisle("Coffee and Tea", ("coffee beans", "ground coffee", "green tea", "black tea", "herbal tea"), 6, 24, 18),
    Aisle("Pantry", ("olive oil", "pasta", "oat flakes", "honey", "almonds"), 3, 18, 21),
    Aisle("Cleaning", ("dish soap", "laundry powder", "glass cleaner", "sponges", "bin bags"), 3, 22, 28),
    Aisle("Personal Care", ("shampoo", "hand cream", "toothpaste", "shaving gel", "bath salt"), 4, 28, 30),
    Aisle("Pet Food", ("dry dog food", "cat food", "bird seed", "dog treats", "cat litter"), 7, 45, 24),
    Aisle("Kitchen", ("frying pan", "chef knife", "mixing bowl", "kettle", "cutting board"), 15, 120),
    Aisle("Lighting", ("desk lamp", "floor lamp", "string lights", "night light", "lantern"), 12, 140),
    Aisle("Bedding", ("pillow", "duvet", "sheet set", "blanket", "mattress cover"), 18, 160),
    Aisle("Garden", ("watering can", "planter", "hand trowel", "hose", "bird bath"), 9, 90),
    Aisle("Stationery", ("notebook", "fountain pen", "desk pad", "sketch book", "envelope set"), 3, 48),
    Aisle("Toys", ("building blocks", "jigsaw puzzle", "board game", "kite", "toy train"), 8, 70),
    Aisle("Outdoor", ("backpack", "sleeping bag", "water bottle", "head torch", "camp stove"), 12, 180),
)
STYLES = ("small", "large", "classic", "light", "organic", "travel", "family", "soft", "sturdy", "simple")
BRANDS = ("Alderfield", "Bluekiln", "Cedar Row", "Greybarn", "High Meadow", "Low Mill", "Old Harbour", "Stone Lane")

PRAISE = (
    "Exactly what I hoped for, the {noun} works very well.",
    "Great quality and it arrived quickly. I will order again.",
    "Love this {noun}, my whole family uses it every day.",
    "Good value for the price, no complaints at all.",
)
SHRUGS = (
    "It is fine. The {noun} does what it should, nothing more.",
    "Decent, but a little expensive for what it is.",
    "Smaller than I expected, otherwise all right.",
)
COMPLAINTS = (
    "The {noun} broke after two days. Very disappointed.",
    "Arrived late and damaged, and nobody answered my message.",
    "Poor quality, not worth the money. I will not order here again.",
    "Wrong item was sent and the return took weeks.",
)
PROMOTIONS = ("free-shipping", "weekend-deals", "new-arrivals", "member-days")
CAMPAIGNS = (("newsletter", "email"), ("search", "cpc"), ("social", "paid_social"), ("partner", "affiliate"))
