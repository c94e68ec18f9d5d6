"""`serve`: live logs are followed, what they tell is kept over restarts and served."""
