"""Android: racoon of its VPN, in logcat."""
