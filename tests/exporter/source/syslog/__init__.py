"""Senders on loopback and unix sockets."""
