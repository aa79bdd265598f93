"""What `chartfleet doctor` checks in AWS, and the policies that grant the access."""
