"""Pages about models: the evaluation of one, the comparison of several, the model card.

Every page is one file that asks no other host for anything, and reads well on a phone, in the dark and on paper.
"""
