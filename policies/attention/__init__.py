"""What a user's last items say of others: attention over their tokens, and how its weights are meta-trained."""
