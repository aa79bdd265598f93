"""What the doctor checks in AWS: permissions, and the policy that grants them."""
