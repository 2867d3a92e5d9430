"""What the panels work on, and what commands share with them."""
