"""TeamF1: racoon in D-Link DSR, NETGEAR FVS, SRX and UTM, Cisco RV; its sentences are spelled anew."""
