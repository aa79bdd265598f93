"""EC2: networks, who may reach them, and what runs in them."""
