"""What to show a customer next: item memories that learn event by event, forget, and are ranked by a learned blend."""
