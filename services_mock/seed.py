"""The shop's goods, people and orders at the start: the same for the same seed.

60 products (`p1` …), 20 users (`u1` …), 120 orders (`o1` …), 180 reviews (`r1` …), stock in three
warehouses, three chat rooms and a few files. With another seed the words stay and the numbers move.
"""

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from random import Random
from typing import Any

from services_mock.contract import catalog, chat, inventory, media, orders, reviews, users
from services_mock.shop import File, Room, Shop, euros, in_nanos
from services_mock.words import CATEGORIES, COMMENTS, GOODS, OPINIONS, PEOPLE, ROOMS, WAREHOUSES

START = datetime(2025, 1, 6, 9, 0, tzinfo=UTC)
ORDERS = 120
REVIEWS = 180
_CENT = 10_000_000  # in billionths of a euro

_HISTORY = (
    ("ORDER_STATUS_PENDING", "We have your order."),
    ("ORDER_STATUS_PAID", "We have your payment."),
    ("ORDER_STATUS_SHIPPED", "Your parcel is on its way."),
    ("ORDER_STATUS_DELIVERED", "Your parcel has arrived."),
)


def seeded(seed: int = 1) -> Shop:
    """Builds the shop as it is at the start."""
    random = Random(seed)
    shop = Shop(random=random, categories=dict(CATEGORIES))
    _products(shop)
    _people(shop)
    _stock(shop)
    _orders(shop)
    _reviews(shop)
    _rooms(shop)
    _files(shop)
    return shop


def _delivery(kind: str, number: int) -> dict[str, Any]:
    if kind == "file":
        content = f"book {number}".encode()
        path = f"downloads/p{number}.epub"
        digest = sha256(content).digest()
        return {"download": {"media_path": path, "size_bytes": len(content), "sha256": digest}}
    if kind == "card":
        return {"gift_card_text": "For you."}
    parcel: dict[str, Any] = {"weight_grams": 300 + 35 * number}
    if number % 2 == 0:
        parcel["size"] = {"length_mm": 200 + number, "width_mm": 150, "height_mm": 80}
        parcel["min_celsius"] = -5
    return {"parcel": parcel}


def _products(shop: Shop) -> None:
    rows = [(category, *good) for category, goods in GOODS.items() for good in goods]
    for number, (category, title, cents, brand, kind) in enumerate(rows, start=1):
        created = START + timedelta(hours=7 * number)
        product = catalog.Product(
            id=f"p{number}",
            title=title,
            description=f"{title} by {brand}, from our {CATEGORIES[category].lower()} department.",
            price=euros(cents * _CENT),
            category=category,
            state="PRODUCT_STATE_SOLD_OUT" if number % 17 == 0 else "PRODUCT_STATE_ACTIVE",
            tags=[title.split()[-1].lower(), *(["new"] if number % 5 == 0 else [])],
            brand={"value": brand},
            gtin=4_006_381_000_000 + number * 37 if number % 2 == 0 else 0,
            stock_keeping_unit=f"{category.rsplit('/', 1)[-1][:3].upper()}-{number:04}",
            handling_time=timedelta(hours=12 * (1 + number % 4)),
            create_time=created,
            update_time=created + timedelta(minutes=number),
            **_delivery(kind, number),
        )
        if number % 3 == 0:
            product.volume_prices[10].CopyFrom(euros(cents * 9 // 10 * _CENT))
            product.volume_prices[100].CopyFrom(euros(cents * 8 // 10 * _CENT))
        if number % 4 == 0:
            product.attributes.update({"colour": "green", "warranty_months": 24, "indoor": False})
            product.labels.update({"supplier": f"s{number % 7}", "season": "spring"})
        if number % 6 == 0:
            product.related_ids.extend([f"p{number - 1}", f"p{number - 2}"])
            product.extensions.add().Pack(catalog.Dimensions(length_mm=number))
        shop.products[product.id] = product


def _roles(number: int) -> list[str]:
    """Gives what a user is: all buy, every sixth sells, and the last one helps the others."""
    roles = ["ROLE_CUSTOMER"]
    if number % 6 == 0:
        roles.append("ROLE_SELLER")
    if number == len(PEOPLE):
        roles.append("ROLE_SUPPORT")
    return roles


def _people(shop: Shop) -> None:
    for number, name in enumerate(PEOPLE, start=1):
        user = users.User(
            id=f"u{number}",
            email=f"{name.split()[0].lower()}@shop.example",
            display_name=name,
            roles=_roles(number),
            loyalty_points=shop.random.randrange(10_000),
            preferences={"language": "en", "dense": number % 2 == 0},
            create_time=START - timedelta(days=30 * number),
        )
        if number % 2:
            user.wants_news.value = number % 4 == 1
            user.phone = f"+49 30 5550{number:03}"
        if number % 3:
            user.birth_year = 1960 + 2 * number
        shop.users[user.id] = user


def _stock(shop: Shop) -> None:
    for number, (city, hours) in enumerate(WAREHOUSES, start=1):
        transit = timedelta(hours=hours)
        warehouse = inventory.Warehouse(
            id=f"w{number}", number=number, city=city, transit_time=transit
        )
        shop.warehouses.append(warehouse)
    for number, product_id in enumerate(shop.products, start=1):
        pieces = {w.number: shop.random.randrange(5, 120) for w in shop.warehouses}
        stock = inventory.Stock(
            product_id=product_id,
            available=sum(pieces.values()),
            reserved=number % 4,
            by_warehouse=pieces,
            update_time=START + timedelta(days=40, minutes=number),
        )
        if number % 5 == 0:
            stock.restock_time.FromDatetime(START + timedelta(days=60))
        shop.stock[product_id] = stock


def _orders(shop: Shop) -> None:
    people, goods = list(shop.users), list(shop.products)
    for number in range(1, ORDERS + 1):
        user = shop.users[people[shop.random.randrange(len(people))]]
        created = START + timedelta(hours=9 * number)
        order = orders.Order(
            id=f"o{number}",
            user_id=user.id,
            shipping_speed="SHIPPING_SPEED_STANDARD",
            shipping_address={
                "recipient": user.display_name,
                "lines": [f"{number} Market Street"],
                "city": "Berlin",
                "postal_code": f"10{number:03}",
                "country_code": "DE",
            },
            create_time=created,
        )
        for product_id in shop.random.sample(goods, 1 + number % 4):
            quantity = 1 + shop.random.randrange(3)
            price = shop.products[product_id].price
            order.items.add(product_id=product_id, quantity=quantity, unit_price=price)
        total = sum(in_nanos(item.unit_price) * item.quantity for item in order.items)
        order.total.CopyFrom(euros(total))
        if number % 3:
            order.card.last_four = f"{4000 + number}"
        else:
            order.invoice_term.FromTimedelta(timedelta(days=14))
        for step, (status, message) in enumerate(_HISTORY[: 1 + number % len(_HISTORY)]):
            time = created + timedelta(hours=step * 20)
            order.events.add(order_id=order.id, status=status, time=time, message=message)
        order.status = order.events[-1].status
        user.orders_by_year[created.year] += 1
        shop.orders[order.id] = order


def _reviews(shop: Shop) -> None:
    people, goods = list(shop.users), list(shop.products)
    for number in range(1, REVIEWS + 1):
        product_id = goods[shop.random.randrange(len(goods))]
        stars, title, text = OPINIONS[shop.random.randrange(len(OPINIONS))]
        review = reviews.Review(
            name=f"products/{product_id}/reviews/r{number}",
            product_id=product_id,
            user_id=people[shop.random.randrange(len(people))],
            stars=stars,
            text=text,
            helpful_votes={True: number % 9, False: number % 4},
            create_time=START + timedelta(days=20, hours=5 * number),
        )
        if number % 2:
            review.title = title
        shop.reviews[review.name] = review
        if number % 3 == 0:
            shop.threads[review.name] = [_comment(number, 0, people)]
    for product in shop.products.values():
        given = [
            review.stars for review in shop.reviews.values() if review.product_id == product.id
        ]
        if given:
            product.rating.value = round(sum(given) / len(given), 2)


def _comment(number: int, depth: int, people: list[str]) -> Any:
    """Makes a comment with replies, up to three deep."""
    comment = reviews.Comment(
        id=f"c{number}-{depth}",
        user_id=people[(number + depth) % len(people)],
        text=COMMENTS[(number + depth) % len(COMMENTS)],
    )
    if depth < number % 4:
        comment.replies.append(_comment(number, depth + 1, people))
    return comment


def _rooms(shop: Shop) -> None:
    for name, (topic, sayings) in ROOMS.items():
        room = Room(topic)
        for sequence, (user_id, text) in enumerate(sayings, start=1):
            time = START + timedelta(minutes=sequence)
            message = chat.ChatMessage(sequence=sequence, user_id=user_id, text=text, time=time)
            room.messages.append(message)
        shop.rooms[name] = room


def _files(shop: Shop) -> None:
    # The smallest PNG: one transparent pixel.
    pixel = bytes.fromhex(
        "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489"
        "0000000d49444154789c6360000002000001e221bc330000000049454e44ae426082"
    )
    files = {f"products/p{number}/front.png": ("image/png", pixel) for number in range(1, 6)}
    files["samples/noise.bin"] = ("application/octet-stream", shop.random.randbytes(65536))
    files["terms.txt"] = ("text/plain; charset=utf-8", b"You pay, we send.\n")
    for path, (content_type, content) in files.items():
        known = media.Media(
            path=path,
            content_type=content_type,
            size_bytes=len(content),
            sha256=sha256(content).digest(),
            create_time=START,
        )
        if content_type == "image/png":
            known.image.width = known.image.height = 1
            known.annotations.add().Pack(media.ImageDetails(width=1, height=1))
        shop.files[path] = File(known, content)
