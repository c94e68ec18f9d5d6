"""Syslog messages received over UDP, TCP and unix sockets."""
