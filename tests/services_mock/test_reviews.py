"""shop.reviews.v1.ReviewService, over sockets."""

from __future__ import annotations

import grpc
import pytest

from services_mock.contract import reviews
from tests.services_mock.failing import fails_with, fields_at_fault


async def seeded(review_service):
    reply = await review_service.ListReviews(reviews.ListReviewsRequest(page_size=100))
    return list(reply.reviews)


async def test_list_by_product_and_user(review_service):
    first = (await seeded(review_service))[0]
    for narrow in ({"product_id": first.product_id}, {"user_id": first.user_id}):
        reply = await review_service.ListReviews(reviews.ListReviewsRequest(**narrow))
        assert first in list(reply.reviews)
        for review in reply.reviews:
            assert all(getattr(review, name) == value for name, value in narrow.items())


async def test_get(review_service):
    review = (await seeded(review_service))[0]
    assert await review_service.GetReview(reviews.GetReviewRequest(name=review.name)) == review
    with fails_with(grpc.StatusCode.NOT_FOUND):
        await review_service.GetReview(reviews.GetReviewRequest(name="products/p1/reviews/r0"))


async def test_create_update_delete(review_service):
    written = {"product_id": "p1", "user_id": "u1", "stars": 4, "text": "Good.", "order_id": "o1"}
    review = await review_service.CreateReview(reviews.CreateReviewRequest(review=written))
    assert review.name.startswith("products/p1/reviews/r")
    changed = await review_service.UpdateReview(
        reviews.UpdateReviewRequest(review={"name": review.name, "stars": 2})
    )
    assert (changed.stars, changed.text) == (2, "Good.")
    await review_service.DeleteReview(reviews.DeleteReviewRequest(name=review.name))
    with fails_with(grpc.StatusCode.NOT_FOUND):
        await review_service.GetReview(reviews.GetReviewRequest(name=review.name))


@pytest.mark.parametrize("stars", [0, 6])
async def test_stars_are_one_to_five(review_service, stars):
    written = {"product_id": "p1", "user_id": "u1", "stars": stars}
    with fails_with(grpc.StatusCode.INVALID_ARGUMENT) as caught:
        await review_service.CreateReview(reviews.CreateReviewRequest(review=written))
    assert fields_at_fault(caught.value) == ["review.stars"]


async def test_comments_have_replies(review_service):
    name = (await seeded(review_service))[1].name

    async def add(text, reply_to=""):
        return await review_service.AddComment(
            reviews.AddCommentRequest(
                name=name, comment={"user_id": "u1", "text": text}, reply_to=reply_to
            )
        )

    above = await add("above")
    below = await add("below", above.id)
    await add("deep", below.id)
    reply = await review_service.GetThread(reviews.GetThreadRequest(name=name))
    comment = reply.comments[-1]
    assert comment.text == "above"
    assert comment.replies[0].replies[0].text == "deep"
    with fails_with(grpc.StatusCode.NOT_FOUND):
        await add("lost", "c0")


async def test_seeded_threads_are_deep(review_service):
    def depth(comment):
        return 1 + max(map(depth, comment.replies), default=0)

    depths = set()
    for review in await seeded(review_service):
        reply = await review_service.GetThread(reviews.GetThreadRequest(name=review.name))
        depths |= {depth(comment) for comment in reply.comments}
    assert depths == {1, 2, 3, 4}


async def test_import(review_service):
    def item(stars):
        review = {"product_id": "p1", "user_id": "u1", "stars": stars, "imported_from": "elsewhere"}
        return reviews.ImportReviewsRequest(review=review)

    reply = await review_service.ImportReviews(iter([item(5), item(9), item(1)]))
    assert reply.imported_count == 2
    assert dict(reply.failures) == {1: "review.stars: must be 1 to 5"}


async def test_summaries_count_by_stars(review_service):
    product_ids = [review.product_id for review in (await seeded(review_service))[:5]]
    reply = await review_service.BatchGetReviewSummaries(
        reviews.BatchGetReviewSummariesRequest(product_ids=[*product_ids, "none"])
    )
    assert {summary.product_id for summary in reply.summaries} == set(product_ids)
    for summary in reply.summaries:
        assert sum(summary.by_stars.values()) == summary.review_count
        total = sum(stars * times for stars, times in summary.by_stars.items())
        assert summary.average == total / summary.review_count


async def test_list_by_several_products(review_service):
    product_ids = sorted({review.product_id for review in await seeded(review_service)})[:3]
    reply = await review_service.ListReviewsByProducts(
        reviews.ListReviewsByProductsRequest(product_ids=[*product_ids, "none"], limit=1)
    )
    newest = {}
    for product_id in product_ids:
        of_one = await review_service.ListReviews(
            reviews.ListReviewsRequest(product_id=product_id, page_size=1)
        )
        newest[product_id] = of_one.reviews[0]
    assert {review.product_id: review for review in reply.reviews} == newest
    assert len(reply.reviews) == len(newest)


async def test_no_more_reviews_than_asked_for_of_each_product(review_service):
    written = {"product_id": "p1", "user_id": "u1", "stars": 4, "text": "Good."}
    for _ in range(3):
        await review_service.CreateReview(reviews.CreateReviewRequest(review=written))
    reply = await review_service.ListReviewsByProducts(
        reviews.ListReviewsByProductsRequest(product_ids=["p1", "p2"], limit=2)
    )
    assert [review.product_id for review in reply.reviews].count("p1") == 2


async def test_list_by_no_products_is_refused(review_service):
    with fails_with(grpc.StatusCode.INVALID_ARGUMENT) as caught:
        await review_service.ListReviewsByProducts(reviews.ListReviewsByProductsRequest())
    assert fields_at_fault(caught.value) == ["product_ids"]
