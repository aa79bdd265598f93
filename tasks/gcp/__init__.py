"""Google Cloud Platform: organizations with their folders, and projects with what is in them."""
