"""What a host must give so that the exporter tells the truth, looked at piece by piece: each finding with what mends it."""
