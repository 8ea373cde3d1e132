"""shop.reviews.v1.ReviewService over the shop's state."""

from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

from services_mock import masks
from services_mock.binding import Call
from services_mock.contract import reviews, wellknown
from services_mock.failure import Failure, invalid, not_found
from services_mock.pages import batch, bounded, page
from services_mock.shop import Shop, now

_KEPT = ("name", "product_id", "create_time", "helpful_votes")


def _reply_to(comments: Any, comment_id: str) -> Any | None:
    """Finds a comment in a thread, at any depth."""
    waiting = list(comments)
    while waiting:
        comment = waiting.pop()
        if comment.id == comment_id:
            return comment
        waiting.extend(comment.replies)
    return None


class ReviewService:
    """Keeps reviews."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop

    def _find(self, name: str) -> Any:
        if name not in self._shop.reviews:
            raise not_found("review", name)
        return self._shop.reviews[name]

    def _check(self, review: Any) -> None:
        if not 1 <= review.stars <= 5:
            raise invalid("review.stars", "must be 1 to 5")
        if review.product_id not in self._shop.products:
            raise not_found("product", review.product_id)
        if review.user_id not in self._shop.users:
            raise not_found("user", review.user_id)

    def _create(self, review: Any) -> Any:
        self._check(review)
        stored = reviews.Review()
        stored.CopyFrom(review)
        stored.name = f"products/{review.product_id}/reviews/{self._shop.new_id('r')}"
        stored.helpful_votes.clear()
        stored.create_time.FromDatetime(now())
        self._shop.reviews[stored.name] = stored
        return stored

    def GetReview(self, request: Any, call: Call) -> Any:
        return self._find(request.name)

    def ListReviews(self, request: Any, call: Call) -> Any:
        found = [
            review
            for review in reversed(self._shop.reviews.values())
            if request.product_id in ("", review.product_id)
            and request.user_id in ("", review.user_id)
        ]
        some, token = page(found, request.page_size, request.page_token)
        return reviews.ListReviewsResponse(reviews=some, next_page_token=token)

    def CreateReview(self, request: Any, call: Call) -> Any:
        review = self._create(request.review)
        call.headers += [("x-http-code", "201"), ("location", f"/v1/{review.name}")]
        return review

    def UpdateReview(self, request: Any, call: Call) -> Any:
        review = self._find(request.review.name)
        changed = reviews.Review()
        changed.CopyFrom(review)
        masks.update(changed, request.review, request.update_mask.paths, keep=_KEPT)
        self._check(changed)
        self._shop.reviews[review.name] = changed
        return changed

    def DeleteReview(self, request: Any, call: Call) -> Any:
        del self._shop.reviews[self._find(request.name).name]
        self._shop.threads.pop(request.name, None)
        return wellknown.Empty()

    def AddComment(self, request: Any, call: Call) -> Any:
        review = self._find(request.name)
        if not request.comment.text:
            raise invalid("comment.text", "is required")
        thread = self._shop.threads.setdefault(review.name, [])
        comment = reviews.Comment(
            id=self._shop.new_id("c"), user_id=request.comment.user_id, text=request.comment.text
        )
        if not request.reply_to:
            thread.append(comment)
            return comment
        above = _reply_to(thread, request.reply_to)
        if above is None:
            raise not_found("comment", request.reply_to)
        above.replies.append(comment)
        return comment

    def GetThread(self, request: Any, call: Call) -> Any:
        review = self._find(request.name)
        return reviews.GetThreadResponse(comments=self._shop.threads.get(review.name, []))

    async def ImportReviews(self, requests: AsyncIterator[Any], call: Call) -> Any:
        result = reviews.ImportReviewsResponse()
        place = 0
        async for request in requests:
            try:
                self._create(request.review)
                result.imported_count += 1
            except Failure as failure:
                result.failures[place] = failure.message
            place += 1
        return result

    def BatchGetReviewSummaries(self, request: Any, call: Call) -> Any:
        counts = {key: Counter[int]() for key in batch("product_ids", request.product_ids)}
        for review in self._shop.reviews.values():
            if review.product_id in counts:
                counts[review.product_id][review.stars] += 1
        summaries = [
            reviews.ReviewSummary(
                product_id=product_id,
                review_count=by_stars.total(),
                average=sum(stars * times for stars, times in by_stars.items()) / by_stars.total(),
                by_stars=by_stars,
            )
            for product_id, by_stars in counts.items()
            if by_stars
        ]
        return reviews.BatchGetReviewSummariesResponse(summaries=summaries)

    def ListReviewsByProducts(self, request: Any, call: Call) -> Any:
        limit = bounded("limit", request.limit)
        by_product: dict[str, list[Any]] = {
            key: [] for key in batch("product_ids", request.product_ids)
        }
        for review in reversed(self._shop.reviews.values()):
            theirs = by_product.get(review.product_id)
            if theirs is not None and len(theirs) < limit:
                theirs.append(review)
        found = [review for theirs in by_product.values() for review in theirs]
        return reviews.ListReviewsByProductsResponse(reviews=found)
