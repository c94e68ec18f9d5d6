"""NetBSD: racoon of its tree, which goes on from ipsec-tools 0.9."""
