"""What users do with answers, as their browsers tell it by the answer's handle: no store, no join, no sampling."""
