"""EC2: networks, their rules, and the instances in them."""
