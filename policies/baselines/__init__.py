"""The plain rules that every policy is measured against."""
