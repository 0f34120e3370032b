"""What a judgement of policies comes to, for people: one page, drawn from the evidence alone. No Kafka, no clock."""
