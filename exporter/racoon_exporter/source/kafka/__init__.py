"""Topics of Kafka: records as lines, partitions with their state. Needs the extra `kafka`, which only `client` imports."""
