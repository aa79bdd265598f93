"""What of the graph can be traversed from one identity to another, as elements of BloodHound's OpenGraph."""
