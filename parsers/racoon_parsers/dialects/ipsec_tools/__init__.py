"""racoon of ipsec-tools, as its own files, syslog, the journal and container engines keep it."""
