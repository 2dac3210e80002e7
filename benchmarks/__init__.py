"""Measurements that print what the documents quote; nothing of the product imports them."""
