"""MikroTik RouterOS 6 and 7: its IKEv1 daemon goes back to racoon, and prints much of what racoon prints."""
