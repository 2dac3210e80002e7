"""Time and memory of trainings by the number of years."""
