"""Special-category and criminal-records data: what of it a text reveals about somebody (UK GDPR Articles 9 and 10)."""
