"""Where historical messages come from: Kafka by time, or files. A frozen cut, merged by time, in bounded memory.

It knows no policy, joins no consumer group, and writes to no topic. Start reading at `part.py` (what is to be read, as
data), `reading.py` (the messages of it) and `engine.py` (a job over all of it, by any number of workers).
"""
