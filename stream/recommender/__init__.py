"""The recommender: `GET /v1/recommendations/{customer}` out of an item index that follows all interactions."""
