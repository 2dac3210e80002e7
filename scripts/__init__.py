"""Helpers of developers; nothing of the product imports them."""
